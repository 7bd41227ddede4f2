// The whole way from picture to frames against diffusers' StableVideoDiffusionPipeline, every stage (test/golden/README.md:
// svd-pipeline-tiny, commit 58eb52c, torch 2.6 on the CPU in f32, tiny random weights rounded to f16).

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { generate, type GenerateEvent, type GenerateOptions, type GenerateResult } from '../../pipeline/generate.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { keep, toFloat32, UsageError, type Runtime, type Tensor } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { makeTinyModel } from '../support/model.js'
import { golden } from '../support/paths.js'

const model = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(model, { recursive: true }))
await makeTinyModel(model)
const image = await readPicture(golden('svd-pipeline-tiny/nocfg_resized.png'))
const small = { width: 64, height: 64, frames: 2, steps: 1 }

// Not poisoned, as in the tests of the kernels: that would double the time.
const webgpu = await openRuntime({
  runtime: 'webgpu',
  adapter: process.env.REVISION_ADAPTER ? undefined : 'swiftshader',
})
const reference = await openRuntime({ runtime: 'reference' })
t.teardown(() => Promise.all([webgpu.close(), reference.close()]))

/** Runs to the end; gives the events as well. */
async function run(options: GenerateOptions): Promise<{ events: GenerateEvent[]; result: GenerateResult }> {
  const events: GenerateEvent[] = []
  const run = generate(options)
  for (let next = await run.next(); ; next = await run.next()) {
    if (next.done) return { events, result: next.value }
    events.push(next.value)
  }
}

async function goldenOptions(name: string): Promise<Omit<GenerateOptions, 'runtime'>> {
  const text = await readFile(golden('svd-pipeline-tiny', `${name}.json`), 'utf8')
  const given = JSON.parse(text) as Record<string, number>
  return {
    model,
    image: await readPicture(golden('svd-pipeline-tiny', `${name}.png`)),
    frames: given.num_frames,
    steps: given.num_inference_steps,
    width: given.width,
    height: given.height,
    fps: given.fps,
    motionBucket: given.motion_bucket_id,
    noiseAug: given.noise_aug_strength,
    minGuidance: given.min_guidance_scale,
    maxGuidance: given.max_guidance_scale,
    decodeChunk: given.decode_chunk_size,
  }
}

async function compareStages(t: Test, runtime: Runtime, name: string): Promise<void> {
  const file = await openSafetensors(golden('svd-pipeline-tiny', `${name}.safetensors`))
  t.teardown(() => file.close())
  const read = async (name: string) => {
    const { dtype, data } = await file.read(name)
    return toFloat32(dtype, data)
  }
  const seen = new Map<string, Tensor[]>()
  const observe = (name: string, tensor: Tensor) => {
    seen.set(name, [...(seen.get(name) ?? []), keep(tensor.share())])
  }
  const noise = { augmentation: await read('noise_aug'), latents: await read('latents_init_unit') }
  const options = await goldenOptions(name)
  const { result, events } = await run({ ...options, runtime, noise, observe })

  const joined = async (name: string) => {
    const parts = await Promise.all((seen.get(name) ?? []).map(tensor => tensor.floats()))
    return Float32Array.from(parts.flatMap(part => [...part]))
  }
  /** The half of a golden tensor that belongs to the picture: behind that without it, if there is guidance. */
  const conditional = (values: Float32Array) => (options.maxGuidance! > 1 ? values.subarray(values.length / 2) : values)
  close(t, await joined('image_embeddings'), conditional(await read('image_embeddings')), 1e-4, 'image embeddings')
  const latents = conditional(await read('image_latents'))
  close(t, await joined('image_latents'), latents.subarray(0, latents.length / options.frames!), 1e-4, 'image latents')
  const [first, ...steps] = seen.get('latents') ?? []
  close(t, await first.data(), await read('latents_init_scaled'), 1e-6, 'first latents')
  close(t, await seen.get('unet_in')![0].data(), await read('unet_in.0'), 1e-4, 'first UNet input')
  close(t, await joined('unet_out'), await read('unet_out'), 1e-4, 'UNet outputs')
  const stepLatents = await read('step_latents')
  const size = stepLatents.length / steps.length
  for (const [i, latents] of steps.entries())
    close(t, await latents.data(), stepLatents.subarray(i * size, (i + 1) * size), 2e-4, `latents of step ${i + 1}`)

  const frames = await read('frames_chunked') // [F,H,W,3] in 0..1
  const { width, height } = result.settings
  let worst = 0
  let worstByte = 0
  const decoded = await joined('frames') // [F,3,H,W] in -1..1
  for (let i = 0; i < frames.length; i++) {
    const [c, pixel] = [i % 3, Math.floor(i / 3)]
    const [frame, place] = [Math.floor(pixel / (width * height)), pixel % (width * height)]
    const value = decoded[(frame * 3 + c) * width * height + place] / 2 + 0.5
    worst = Math.max(worst, Math.abs(Math.min(Math.max(value, 0), 1) - frames[i]))
    worstByte = Math.max(worstByte, Math.abs(result.frames[frame].data[3 * place + c] / 255 - frames[i]))
  }
  t.ok(worst <= 1e-3, `frames: ${worst} off at most`)
  t.ok(worstByte <= 1e-3 + 0.5 / 255, `8-bit frames: ${worstByte} off at most`)

  const kinds = events.map(event => ('stage' in event ? `${event.type} ${event.stage}` : event.type))
  t.same(kinds, [
    'start',
    ...['image encoder', 'vae encoder'].flatMap(stage => [`stage ${stage}`, `stage-end ${stage}`]),
    ...['stage unet', ...steps.map(() => 'step'), 'stage-end unet'],
    'stage vae decoder',
    ...new Array<string>(Math.ceil(options.frames! / options.decodeChunk!)).fill('frames'),
    'stage-end vae decoder',
    'done',
  ])
  for (const [stage, bytes] of Object.entries(result.peakBytes)) t.ok(bytes > 0, `${stage}: peak of ${bytes} bytes`)
  for (const tensors of seen.values()) for (const tensor of tensors) tensor.dispose()
  t.equal(runtime.statistics().live, 0, 'nothing is left in memory')
}

void t.test('wide: guidance, chunks of two and one frame', t => compareStages(t, webgpu, 'wide'))
void t.test('nocfg_resized: no guidance, a picture of another size', t => compareStages(t, webgpu, 'nocfg_resized'))
const long = { skip: process.env.REVISION_LONG_TESTS ? false : 'takes a minute; REVISION_LONG_TESTS=1 runs it' }
void t.test('square', long, t => compareStages(t, webgpu, 'square'))
void t.test('nocfg_resized on plain loops', long, t => compareStages(t, reference, 'nocfg_resized'))

void t.test('the same seed gives the same video, another seed another', async t => {
  const options = { model, image, ...small, frames: 1, runtime: webgpu }
  const [a, b, c] = [await run(options), await run({ ...options, seed: 0 }), await run({ ...options, seed: 1 })]
  t.same(a.result.frames, b.result.frames)
  t.not(Buffer.compare(a.result.frames[0].data, c.result.frames[0].data), 0)
})

void t.test('masks change nothing in a model that never learnt them', async t => {
  const options = { model, image, ...small, runtime: webgpu }
  const labels = { width: 64, height: 64, data: new Uint8Array(64 * 64).fill(5) }
  const masks = new Array<{ labels: typeof labels; confidence: number }>(2).fill({ labels, confidence: 1 })
  const inputs: Tensor[] = []
  const observe = (name: string, tensor: Tensor) => {
    if (name === 'unet_in') inputs.push(keep(tensor.share()))
  }
  const [without, masked] = [await run(options), await run({ ...options, masks, observe })]
  t.same(masked.result.frames, without.result.frames)
  t.same(inputs[0].shape, [2, 2, 10, 8, 8])
  const values = await inputs[0].floats()
  t.same(new Set(values.subarray(8 * 64, 9 * 64)), new Set([5 / 64]), 'label channel')
  t.same(new Set(values.subarray(9 * 64, 10 * 64)), new Set([1]), 'confidence channel')
  for (const tensor of inputs) tensor.dispose()
})

void t.test('all runtimes make the same video', async t => {
  const options = { model, image, ...small, frames: 1 }
  const [a, b] = [await run({ ...options, runtime: webgpu }), await run({ ...options, runtime: reference })]
  for (const [i, frame] of a.result.frames.entries()) {
    const worst = frame.data.reduce((most, value, k) => Math.max(most, Math.abs(value - b.result.frames[i].data[k])), 0)
    t.ok(worst <= 1, `frame ${i}: ${worst} of 255 off at most`)
  }
})

void t.test('a run can be stopped at any event, and leaves nothing behind', async t => {
  const runtime = webgpu
  const { live } = runtime.statistics()
  for (const type of ['start', 'stage', 'step', 'frames', 'stage-end'])
    for await (const event of generate({ model, image, ...small, frames: 1, runtime })) if (event.type === type) break
  t.equal(runtime.statistics().live, live, 'by leaving the loop')

  const controller = new AbortController()
  const aborted = async () => {
    for await (const event of generate({ model, image, ...small, frames: 1, runtime, signal: controller.signal }))
      if (event.type === 'step') controller.abort(new Error('enough'))
  }
  await t.rejects(aborted(), { message: 'enough' })
  t.equal(runtime.statistics().live, live, 'by a signal')
})

void t.test('what cannot be is refused before anything is loaded', async t => {
  const wrong: [Partial<GenerateOptions>, RegExp][] = [
    [{ frames: 0 }, /^frames: not an integer in bounds; expected 1..256; got 0$/],
    [{ steps: 2.5 }, /^steps: /],
    [{ width: 100 }, /^width: 100 is not a multiple of 8; try 96 or 104$/],
    [{ height: 32 }, /^height: /],
    [{ maxGuidance: NaN }, /^maxGuidance: /],
    [{ seed: -1 }, /^seed: /],
    [{ frames: 256, width: 4096, height: 4096 }, /^size: too many pixels/],
    [{ image: { width: 3, height: 3, data: new Uint8Array(3) } }, /^image: not a picture/],
    [{ masks: [] }, /^masks: /],
    [{ noise: { augmentation: new Float32Array(1), latents: new Float32Array(1) } }, /^noise: /],
  ]
  for (const [options, message] of wrong)
    await t.rejects(generate({ model, image, ...small, runtime: webgpu, ...options }).next(), message)
  await t.rejects(generate({ model, image, frames: 0 }).next(), UsageError)
})
