// What tests of the whole pipeline share: the tiny model, a run to its end, and diffusers' own runs to compare with.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { generate, type GenerateEvent, type GenerateOptions, type GenerateResult } from '../../pipeline/generate.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { keep, toFloat32, type Runtime, type RuntimeName, type Tensor } from '../../tensor/index.js'
import { close } from './compare.js'
import { makeTinyModel } from './model.js'
import { golden } from './paths.js'

/** A model folder of this test file's own. */
export const model = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(model, { recursive: true }))
await makeTinyModel(model)

/** A runtime for whole runs. Not poisoned, as in the tests of the kernels: that would double the time. */
export async function pipelineRuntime(name: RuntimeName): Promise<Runtime> {
  const runtime = await openRuntime({
    runtime: name,
    adapter: process.env.REVISION_ADAPTER ? undefined : 'swiftshader',
  })
  t.teardown(() => runtime.close())
  return runtime
}

/** Runs to the end; gives the events as well. */
export async function run(options: GenerateOptions): Promise<{ events: GenerateEvent[]; result: GenerateResult }> {
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

/**
 * Runs a case of svd-pipeline-tiny and compares every stage with diffusers' StableVideoDiffusionPipeline
 * (test/golden/README.md; commit 58eb52c, torch 2.6 on the CPU in f32, tiny random weights rounded to f16).
 */
export async function compareStages(t: Test, runtime: Runtime, name: string): Promise<void> {
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
