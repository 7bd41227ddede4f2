// What a video takes, told beforehand: as much as a run then shows; the real model fits where it must; and those who run
// out of memory go on with less of it, to the same video.

import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dryTwin, openDry } from '../../kernels/dry.js'
import { openRuntime } from '../../kernels/index.js'
import { openModelFolder, parseCLIPVisionConfig, parseUNetConfig, parseVaeConfig } from '../../models/index.js'
import { parseBytes } from '../../pipeline/cli/bytes.js'
import { runCli } from '../../pipeline/cli/program.js'
import { generate } from '../../pipeline/generate.js'
import { architectures } from '../../pipeline/hub/architectures.js'
import { readPicture } from '../../pipeline/media/decode.js'
import type { Picture } from '../../pipeline/media/picture.js'
import { planVideo, type NetworkConfigs, type PlanOptions } from '../../pipeline/plan/plan.js'
import { quick, thrifty } from '../../pipeline/plan/policy.js'
import { completeSettings } from '../../pipeline/settings.js'
import { OutOfMemoryError, UsageError, type Runtime } from '../../tensor/index.js'
import { golden } from '../support/paths.js'
import { model, pipelineRuntime, run } from '../support/pipeline.js'

const image = await readPicture(golden('svd-pipeline-tiny/square.png'))
const folder = await openModelFolder(model)
const tiny: NetworkConfigs = {
  unet: folder.unet.config,
  vae: folder.vae.config,
  imageEncoder: folder.imageEncoder.config,
}
const short = { width: 96, height: 64, frames: 4, steps: 2, decodeChunk: 1 }
// As the golden weights are.
const stored: PlanOptions['dtypeOf'] = () => 'f16'
const settingsOf = (video: object) => completeSettings(video, tiny)
const planOn = (runtime: Runtime, video: object, lowMemory = false) =>
  planVideo({ configs: tiny, settings: settingsOf(video), open: () => dryTwin(runtime), dtypeOf: stored, lowMemory })

/** The largest difference of a byte between two videos. */
function difference(a: readonly Picture[], b: readonly Picture[]): number {
  const differences = a.flatMap((picture, i) => Array.from(picture.data, (value, k) => Math.abs(value - b[i].data[k])))
  return differences.reduce((most, value) => Math.max(most, value), 0)
}

for (const [name, video] of [
  ['wasm', short],
  ['webgpu', { width: 64, height: 64, frames: 1, steps: 1, decodeChunk: 1 }],
] as const)
  void t.test(`${name}: a run takes what its plan says`, async t => {
    const runtime = await pipelineRuntime(name)
    const lowMemory = name === 'webgpu'
    const plan = planOn(runtime, video, lowMemory)
    const { result } = await run({ ...video, model: folder, image, runtime, lowMemory })
    for (const { stage, peakBytes } of plan.stages) {
      const shown = result.peakBytes[stage]
      t.ok(Math.abs(shown / peakBytes - 1) < 0.1, `${stage}: planned ${peakBytes}, ran with ${shown}`)
    }
  })

void t.test('with low memory it is the same video in less', async t => {
  const runtime = await pipelineRuntime('wasm')
  const [plain, low] = [
    await run({ ...short, model: folder, image, runtime }),
    await run({ ...short, model: folder, image, runtime, lowMemory: true }),
  ]
  t.ok(difference(plain.result.frames, low.result.frames) <= 1)
  const [most, least] = [plain, low].map(({ result }) => result.peakBytes.unet)
  t.ok(least < most, `${most} bytes, then ${least}`)
  t.equal(runtime.statistics().live, 0)
})

void t.test('out of memory is told once, and helped by taking less', async t => {
  const twin = await pipelineRuntime('wasm')
  // Of so many frames that the UNet takes most.
  const video = { ...short, frames: 8 }
  const { result: expected } = await run({ ...video, model: folder, image, runtime: twin })
  const maxBytes = planOn(twin, video, true).peakBytes + 2 ** 17
  t.ok(maxBytes < planOn(twin, video).peakBytes)
  const tight = await openRuntime({ runtime: 'wasm', maxBytes })
  t.teardown(() => tight.close())
  const { events, result } = await run({ ...video, model: folder, image, runtime: tight })
  t.same(
    events.filter(({ type }) => type === 'fallback'),
    [{ type: 'fallback', stage: 'unet' }],
  )
  t.ok(difference(result.frames, expected.frames) <= 1)

  const place = await mkdtemp(join(tmpdir(), 'revision-test-'))
  t.teardown(() => rm(place, { recursive: true }))
  const checkpoint = { path: join(place, 'run') }
  for await (const { type } of generate({ ...video, model: folder, image, runtime: tight, checkpoint }))
    if (type === 'checkpoint') break
  const resumed = await run({ ...video, model: folder, image, runtime: twin, checkpoint })
  t.same(resumed.result.frames, result.frames)
  t.ok(resumed.result.peakBytes.unet <= maxBytes, 'a run that is gone on with still takes less, where there is more')

  const hopeless = await openRuntime({ runtime: 'wasm', maxBytes: 2 ** 16 })
  t.teardown(() => hopeless.close())
  await t.rejects(run({ ...video, model: folder, image, runtime: hopeless }), OutOfMemoryError)
})

void t.test('a bound on memory chooses the quickest way that fits it', async t => {
  const options = { configs: tiny, settings: settingsOf(short), open: () => openDry(), dtypeOf: stored }
  const unetOf = (given: Partial<PlanOptions>) => planVideo({ ...options, ...given }).stages[2]
  const [most, least] = [unetOf({}), unetOf({ lowMemory: true })]
  t.same([most.memory, least.memory], [quick, thrifty])
  const between = unetOf({ maxMemory: most.peakBytes - 1 })
  t.ok(between.peakBytes < most.peakBytes && between.peakBytes >= least.peakBytes)
  t.notSame(between.memory, quick)
  t.throws(() => unetOf({ maxMemory: 1 }), { name: 'UsageError', message: /does not fit; expected at least \d+ bytes/ })

  const runtime = await pipelineRuntime('wasm')
  const tooLittle = run({ ...short, model: folder, image, runtime, maxMemory: 1000 })
  await t.rejects(tooLittle, UsageError)
})

void t.test('the real model fits where it must, and its work is what was counted for it', async t => {
  interface Counts {
    flops: Record<string, Record<string, number>>
  }
  const { unet, vae, imageEncoder } = architectures['svd-xt']
  const configs = {
    unet: parseUNetConfig('unet', JSON.stringify(unet)),
    vae: parseVaeConfig('vae', JSON.stringify(vae)),
    imageEncoder: parseCLIPVisionConfig('image_encoder', JSON.stringify(imageEncoder)),
  }
  const settings = completeSettings({ width: 1024, height: 576, frames: 25 }, configs)
  const options: PlanOptions = { configs, settings, open: () => openDry(), dtypeOf: () => 'f16' }
  const plan = planVideo(options)
  t.ok(plan.peakBytes <= 16 * 2 ** 30, `${plan.peakBytes} bytes`)
  const low = planVideo({ ...options, lowMemory: true })
  t.ok(low.peakBytes <= 8 * 2 ** 30, `${low.peakBytes} bytes with low memory`)
  t.equal(low.peakBytes, Math.max(...low.stages.map(({ peakBytes }) => peakBytes)))

  const counted = JSON.parse(readFileSync(golden('svd-real-names.json'), 'utf8')) as Counts
  const forward = counted.flops['unet_forward_25f_72x128_b1']
  // Cross-attention to a single token needs neither queries nor keys.
  const crossed = Object.keys(forward).filter(name => name.includes('cross-attn'))
  const wanted = crossed.reduce((rest, name) => rest - forward[name], forward.total)
  const unetFlops = plan.stages[2].flops / (2 * settings.steps)
  t.ok(Math.abs(unetFlops / wanted - 1) < 0.01, `${unetFlops} FLOP for a forward pass of ${wanted}`)
  t.ok(Math.abs(plan.stages[3].flops / (25 * 6.943e12) - 1) < 0.01, 'decoding')
})

void t.test('revision plan', async t => {
  const copy = await mkdtemp(join(tmpdir(), 'revision-test-'))
  t.teardown(() => rm(copy, { recursive: true }))
  for (const part of ['unet', 'vae', 'image_encoder'])
    await cp(join(model, part, 'config.json'), join(copy, part, 'config.json'))

  const told = async (...args: string[]) => {
    const [out, error] = [t.capture(console, 'log'), t.capture(console, 'error')]
    const code = await runCli(['plan', ...args])
    const [text, complaint] = [out(), error()].map(calls => calls.map(({ args }) => String(args[0])).join('\n'))
    out.restore()
    error.restore()
    return { code, text, complaint }
  }
  const small = ['--size', '96x64', '--frames', '2']
  const { code, text } = await told('--model', 'tiny', ...small, '--json')
  t.equal(code, 0)
  const json = JSON.parse(text) as { peakBytes: number; stages: { peakBytes: number; chunks: object }[] }
  t.equal(json.peakBytes, Math.max(...json.stages.map(({ peakBytes }) => peakBytes)))
  t.equal(json.stages.length, 4)
  t.match(json.stages[2].chunks, { sequentialGuidance: false })

  const ofFolder = await told('--model', copy, ...small, '--runtime', 'wasm', '--low-memory')
  t.equal(ofFolder.code, 0, 'configurations are enough')
  t.match(ofFolder.text, /unet .* MiB .*guidance in turns, steps one by one/)

  for (const [args, complaint] of [
    [['--model', 'tiny', ...small, '--max-memory', '1KiB'], /does not fit; expected at least/],
    [['--model', 'tiny', '--size', 'large'], /--size: not a size/],
    [['--model', 'tiny', '--size', '96x65'], /--size: 65 is not a multiple of 8; try 64 or 72/],
    [['--model', 'tiny', '--max-memory', 'all'], /--max-memory: not an amount of memory/],
    [['--model', 'tiny', '--threads', '-1'], /--threads: impossible number/],
    [['--model', 'nothing'], /no such model/],
    [['--model', join(copy, 'unet')], /config.json/],
  ] as const) {
    const refused = await told(...args)
    t.equal(refused.code, 2, args.join(' '))
    t.match(refused.complaint, complaint)
    t.equal(refused.complaint.split('\n').length, 1)
  }
})

void t.test('amounts of memory', t => {
  const read = (text: string) => parseBytes('memory', text)
  t.same(['12GiB', '1.5 MiB', '1000', '2kb', '3GB'].map(read), [12 * 2 ** 30, 1.5 * 2 ** 20, 1000, 2000, 3e9])
  for (const text of ['', '0', '-1', '1e9', 'GiB', '1 GiB more', '9'.repeat(30), '99999999 GiB'])
    t.throws(() => read(text), UsageError, text)
  t.end()
})
