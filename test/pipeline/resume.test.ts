// A run that was killed goes on where its checkpoint was made, to the same bits; and what a checkpoint may not be.

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { generate, type GenerateEvent, type GenerateOptions } from '../../pipeline/generate.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { openSafetensors, writeSafetensors } from '../../tensor/files/index.js'
import { golden, projectRoot } from '../support/paths.js'
import { model, pipelineRuntime, run } from '../support/pipeline.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const image = await readPicture(golden('svd-pipeline-tiny/nocfg_resized.png'))
const small = { model, image, width: 64, height: 64, frames: 2, steps: 4, decodeChunk: 1 }
const runtime = await pipelineRuntime('wasm')
const whole = await run({ ...small, runtime })

/** Runs until an event; leaves the checkpoint that is there then. */
async function stopAt(options: GenerateOptions, isMoment: (event: GenerateEvent) => boolean): Promise<void> {
  for await (const event of generate(options)) if (isMoment(event)) break
}

/** A checkpoint of the small run after step 2. */
async function checkpointOf(name: string): Promise<string> {
  const path = join(folder, name)
  const isMoment = (event: GenerateEvent) => event.type === 'checkpoint' && event.step === 2
  await stopAt({ ...small, runtime, checkpoint: { path } }, isMoment)
  return path
}

await t.test('a run that stopped goes on from its last step, on CPU and GPU, to the same frames', async t => {
  for (const name of ['wasm', 'webgpu'] as const) {
    const path = join(folder, name)
    const options = { ...small, frames: 1, steps: 2, runtime: await pipelineRuntime(name) }
    const { result } = await run(options)
    const checkpoint = { path }
    await stopAt({ ...options, checkpoint }, ({ type }) => type === 'checkpoint')
    const resumed = await run({ ...options, checkpoint })
    t.match(
      resumed.events.filter(({ type }) => type === 'resume' || type === 'step'),
      [
        { type: 'resume', step: 1 },
        { type: 'step', step: 2, steps: 2 },
      ],
    )
    t.same(resumed.result.frames, result.frames, name)
    t.notOk((await readdir(folder)).includes(name), 'the checkpoint is gone')
  }
})

await t.test('after the last step only the decoder is left to run', async t => {
  const checkpoint = { path: join(folder, 'decoder'), every: 3 }
  const saved: number[] = []
  await stopAt({ ...small, runtime, checkpoint }, event => {
    if (event.type === 'checkpoint') saved.push(event.step)
    return event.type === 'frames'
  })
  t.same(saved, [3, 4])
  const { events, result } = await run({ ...small, runtime, checkpoint })
  t.same(
    events.flatMap(event => (event.type === 'stage' ? [event.stage] : [])),
    ['vae decoder'],
  )
  t.same(result.frames, whole.result.frames)
})

await t.test('a signal leaves a checkpoint of the step that it came in', async t => {
  const controller = new AbortController()
  const checkpoint = { path: join(folder, 'signal'), every: 100 }
  const stopped = async () => {
    for await (const event of generate({ ...small, runtime, checkpoint, signal: controller.signal }))
      if (event.type === 'step' && event.step === 2) controller.abort(new Error('enough'))
  }
  await t.rejects(stopped(), { message: 'enough' })
  const { events, result } = await run({ ...small, runtime, checkpoint })
  t.match(events[1], { type: 'resume', step: 2 })
  t.same(result.frames, whole.result.frames)
})

await t.test('the checkpoint of another run is refused, and says what differs', async t => {
  const path = await checkpointOf('other')
  const before = await readFile(path)
  const grey = { ...image, data: image.data.map(value => 255 - value) }
  const cases: [Partial<GenerateOptions>, RegExp][] = [
    [{ seed: 1 }, /other: the checkpoint is of another run; expected seed 1; got seed 0; try the settings/],
    [{ steps: 5, frames: 1 }, /expected frames 1, steps 5; got frames 2, steps 4;/],
    [{ image: grey }, /expected image [\da-f]{8}; got image [\da-f]{8};/],
    [{ masks: [undefined, undefined] }, /expected masks [\da-f]{8}; got masks none;/],
    [{ runtime: await pipelineRuntime('reference') }, /expected runtime reference: .*; got runtime wasm: /],
  ]
  for (const [options, message] of cases)
    await t.rejects(run({ ...small, runtime, checkpoint: { path }, ...options }), { name: 'UsageError', message })
  t.same(await readFile(path), before, 'and stays as it is')
})

await t.test('a file that is no checkpoint, or a broken one, is refused and not replaced', async t => {
  const path = await checkpointOf('good')
  const file = await openSafetensors(path)
  const entries = await Promise.all([...file.tensors.keys()].map(async name => ({ name, ...(await file.read(name)) })))
  const metadata = Object.fromEntries(file.metadata)
  await file.close()
  const edited =
    (change: (name: string) => object, text: Record<string, string> = {}) =>
    (path: string) =>
      writeSafetensors(
        path,
        entries.map(entry => ({ ...entry, ...change(entry.name) })),
        { ...metadata, ...text },
      )
  const same = () => ({})
  const latentsOf = (change: object) => edited(name => (name === 'latents' ? change : {}))
  const { data } = entries.find(({ name }) => name === 'latents')!
  const cases: [string, (path: string) => Promise<unknown>, RegExp][] = [
    ['text', path => writeFile(path, 'my notes'), /not a checkpoint of a run/],
    ['a model', path => writeSafetensors(path, entries), /not a checkpoint of a run/],
    ['a longer one', path => writeFile(path, '').then(() => truncate(path, 2 ** 30)), /too large for a checkpoint/],
    ['a torn one', path => writeFile(path, before.subarray(0, 5000)), /not a checkpoint of a run/],
    ['no step', edited(same, { step: '1e9' }), /no step "1e9"/],
    ['no random state', edited(same, { random: '{"words":[1],"used":0}' }), /no usable random state/],
    ['no configuration', edited(same, { configuration: '[' }), /bad JSON/],
    ['a long text', edited(same, { configuration: ' '.repeat(2 ** 17) }), /no usable configuration/],
    ['NaN', latentsOf({ data: Float32Array.from(data, () => NaN) }), /latents hold no numbers/],
    ['another shape', latentsOf({ shape: [data.length] }), /no latents of \[2, 4, 8, 8\] in F32/],
    ['another name', latentsOf({ name: 'latent' }), /no latents of/],
  ]
  const before = await readFile(path)
  for (const [name, make, message] of cases) {
    const broken = join(folder, name)
    await make(broken)
    await t.rejects(run({ ...small, runtime, checkpoint: { path: broken } }), { name: 'FileError', message }, name)
    t.ok((await readdir(folder)).includes(name))
  }
  const nowhere = { path: join(folder, 'no/where') }
  await t.rejects(run({ ...small, runtime, checkpoint: nowhere }), /no checkpoint can be written there; got ENOENT/)
  await t.rejects(run({ ...small, runtime, checkpoint: { path, every: 0 } }), /checkpoint: not a number of steps/)
})

const program = join(projectRoot, 'dist/pipeline/cli/main.js')
const photo = golden('svd-pipeline-tiny/nocfg_resized.png')

await t.test('a killed program goes on to the same files', { skip: process.platform === 'win32' }, async t => {
  const command = (out: string, checkpoint: string) => {
    const sizes = ['--width', '64', '--height', '64', '--frames', '2', '--steps', '4', '--decode-chunk', '1']
    const places = ['--model', model, '--image', photo, '--out', out, '--checkpoint', checkpoint, '--preview', '2']
    const args = [program, 'generate', '--json', '--runtime', 'wasm', ...places, ...sizes]
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  }
  const moments: [string, (event: { type: string; step?: number }) => boolean][] = [
    ['while the picture is encoded', ({ type }) => type === 'stage'],
    ['after a step', ({ type, step }) => type === 'checkpoint' && step === 1],
    ['in the middle of a step', ({ type, step }) => type === 'step' && step === 3],
    ['while frames are decoded', ({ type }) => type === 'frames'],
    ['while files are written', ({ type }) => type === 'writing'],
  ]
  for (const [name, isMoment] of moments) {
    const place = await mkdtemp(join(folder, 'killed-'))
    const [out, checkpoint] = [join(place, 'out'), join(place, 'run.checkpoint')]
    const child = command(out, checkpoint)
    const closed = once(child, 'close')
    for await (const line of createInterface(child.stdout)) {
      if (child.killed || !isMoment(JSON.parse(line) as { type: string })) continue
      child.kill('SIGKILL')
    }
    t.same(await closed, [null, 'SIGKILL'], name)
    t.notOk((await readdir(place)).includes('out'), 'no results yet')
    // As if it had been killed while it wrote these.
    for (const path of [checkpoint, `${out}.preview.png`]) await writeFile(`${path}.partial-${randomUUID()}`, '')

    const again = command(out, checkpoint)
    again.stdout.resume()
    t.same(await once(again, 'close'), [0, null], name)
    t.same(await readdir(place), ['out'], `${name}: nothing is left but the results`)
    for (const [i, { data }] of whole.result.frames.entries())
      t.same((await readPicture(join(out, `frame_000${i}.png`))).data, data, `${name}: frame ${i}`)
  }
})
