// Training: a model learns, a run that was stopped goes on to the same bits, and a run that goes wrong says so.

import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { abs, mean, square } from '../../kernels/index.js'
import { PPPM } from '../../models/pppm/pppm.js'
import { Linear, Weights } from '../../nn/index.js'
import { openSafetensors, writeSafetensors } from '../../tensor/files/index.js'
import { Tensor, type Runtime } from '../../tensor/index.js'
import { parsePPPMTrainConfig } from '../../train/pppm/config.js'
import { drawPerson } from '../../train/pppm/clips.js'
import { PPPMTask } from '../../train/pppm/task.js'
import { drawCurves } from '../../train/plot.js'
import { runTraining, type RunEvent, type RunOptions } from '../../train/run.js'
import { Trainer, type Task } from '../../train/trainer.js'
import { wasmRuntime } from '../support/kernels.js'
import { strollingPerson } from '../support/motion.js'

const runtime = await wasmRuntime()
const folder = await mkdtemp(join(tmpdir(), 'revision-train-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

const takes = [strollingPerson(60), strollingPerson(50, 1.7)]
const settings = { steps: 12, rate: 2e-3, warmup: 2, weightDecay: 0.01, clip: 1, emaDecay: 0.9, seed: 5 }

function optionsOf(runtime: Runtime, name: string, change: Partial<RunOptions> = {}): RunOptions & { task: PPPMTask } {
  const model = new PPPM({ width: 32, layers: 1, heads: 2, textChannels: 8, maxEntities: 2 })
  const compositions = [
    { counts: { human: 1 }, frames: 16, share: 2 },
    { counts: { human: 2 }, frames: 12, share: 1 },
  ]
  const task = new PPPMTask(runtime, model, {
    source: (_kind, frames, random) => drawPerson(takes, frames, random),
    compositions,
    batch: 4,
  })
  const description = { ...settings, note: 'of a test' }
  return { folder: join(folder, name), settings, description, saveEvery: 5, ...change, task }
}

async function run(options: RunOptions & { task: PPPMTask }): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  using _task = options.task
  for await (const event of runTraining(runtime, options)) events.push(event)
  return events
}

const losses = (events: readonly RunEvent[]) => events.flatMap(event => (event.type === 'step' ? [event.loss] : []))
const weightsOf = (name: string) => readFile(join(folder, name, 'model.safetensors'))

await t.test('a model learns, and the folder tells how', async t => {
  const long = { ...settings, steps: 240 }
  const events = await run(optionsOf(runtime, 'learns', { settings: long }))
  const told = losses(events)
  const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length
  t.ok(
    mean(told.slice(-15)) < 0.6 * mean(told.slice(0, 5)),
    `loss ${mean(told.slice(0, 5))} to ${mean(told.slice(-15))}`,
  )
  const log = (await readFile(join(folder, 'learns/log.jsonl'), 'utf8')).trim().split('\n')
  t.equal(log.length, 240, 'a line for each step')
  t.match(JSON.parse(log[239]), { step: 240, joints: Number, norm: Number, rate: Number })
  t.match(await readFile(join(folder, 'learns/curve.svg'), 'utf8'), /<svg.*<polyline/s)
  const file = await openSafetensors(join(folder, 'learns/model.safetensors'))
  t.match(file.metadata.get('settings'), /of a test/)
  t.equal(file.tensors.get('norm_out.weight')?.dtype, 'f16')
  await file.close()
})

await t.test('stopped and gone on with, a run ends with the same bits', async t => {
  const whole = losses(await run(optionsOf(runtime, 'whole')))
  const parts: number[] = []
  for (const steps of [3, 4, Infinity]) {
    // The signal comes in a step; the step is finished and saved.
    const controller = new AbortController()
    const options = optionsOf(runtime, 'parts', { signal: controller.signal })
    using _task = options.task
    let taken = 0
    try {
      for await (const event of runTraining(runtime, options)) {
        if (event.type === 'step') parts.push(event.loss)
        if (event.type === 'step' && ++taken === steps) controller.abort(new Error('enough'))
      }
    } catch (error) {
      t.match(error, { message: 'enough' })
      // As if it had been ended by force before the next state was there.
      await appendFile(join(folder, 'parts/log.jsonl'), '{"step":9,"loss":1}\n{"step":10,')
    }
  }
  t.same(parts, whole, 'losses')
  t.ok((await weightsOf('parts')).equals(await weightsOf('whole')), 'weights')
  const log = async (name: string) =>
    (await readFile(join(folder, name, 'log.jsonl'), 'utf8')).split('\n').map(line => line.replace(/,"seconds".*/, ''))
  t.same(await log('parts'), await log('whole'), 'log')
})

await t.test('a run with other settings is not gone on with', async t => {
  const other = (description: object) => run(optionsOf(runtime, 'whole', { description: { ...description } }))
  await t.rejects(other({ ...settings, note: 'another', emaDecay: 0.5 }), {
    message:
      /holds a run of other settings; expected ema_decay 0.5, note "another"; got ema_decay 0.9, note "of a test"/,
  })
  const described = (change: object, ...clips: object[]) =>
    optionsOf(runtime, 'described', { description: { settings: { ...settings, ...change }, clips } })
  const [a, b] = ['a', 'b'].map(key => ({ name: 'clip.npz', key }))
  await run(described({}, a))
  const cases: [Parameters<typeof described>, RegExp][] = [
    [[{ rate: 1 }, a], /expected rate 1; got rate 0.002; try another folder/],
    [[{}, b], /expected clips.0.key "b"; got clips.0.key "a"/],
    [[{}, a, b], /expected clips of 2; got clips of 1/],
    [[{ seed: undefined }, a], /expected seed absent; got seed 5/],
  ]
  for (const [change, message] of cases) await t.rejects(run(described(...change)), { name: 'UsageError', message })
})

await t.test('weights of which no run tells are left alone', async t => {
  const path = join(folder, 'foreign/model.safetensors')
  await mkdir(join(folder, 'foreign'))
  await writeFile(path, 'precious')
  await t.rejects(run(optionsOf(runtime, 'foreign')), {
    name: 'UsageError',
    message: /no run that is known; try another/,
  })
  t.equal(await readFile(path, 'utf8'), 'precious')
  await mkdir(join(folder, 'foreign/run.json'))
  await t.rejects(run(optionsOf(runtime, 'foreign')), {
    name: 'FileError',
    message: /run.json: cannot be read; got EISDIR/,
  })
})

await t.test('a state that is broken is refused', async t => {
  await run(optionsOf(runtime, 'broken'))
  const state = join(folder, 'broken/state.safetensors')
  const file = await openSafetensors(state)
  const names = [...file.tensors.keys()].filter(name => name !== 'random.words')
  const entries = await Promise.all(names.map(async name => ({ name, ...(await file.read(name)) })))
  await file.close()
  await writeSafetensors(state, entries, Object.fromEntries(file.metadata))
  const before = runtime.statistics().live
  await t.rejects(run(optionsOf(runtime, 'broken')), { name: 'FileError', message: /no random state/ })
  t.equal(runtime.statistics().live, before, 'nothing of it stays in memory')
  await truncate(state, 1000)
  await t.rejects(run(optionsOf(runtime, 'broken')), {
    name: 'FileError',
    message: /truncated; .*; try removing state.saf/,
  })
  await writeFile(state, 'nonsense')
  await t.rejects(run(optionsOf(runtime, 'broken')), { name: 'FileError', message: /no safetensors file/ })
  await writeFile(join(folder, 'broken/run.json'), 'null')
  await t.rejects(run(optionsOf(runtime, 'broken')), { name: 'FileError', message: /expected a JSON object/ })
})

await t.test('lines of the log that are none are left out', async t => {
  await run(optionsOf(runtime, 'logged'))
  const path = join(folder, 'logged/log.jsonl')
  const text = await readFile(path, 'utf8')
  await writeFile(path, `null\n7\n{"loss": 1}\n${text}{"step": 3, "lo`)
  await run(optionsOf(runtime, 'logged'))
  t.equal(await readFile(path, 'utf8'), text)
})

await t.test('numbers that go wrong end the run, and say what to try', async t => {
  const options = optionsOf(runtime, 'wrong', { settings: { ...settings, rate: 1e30, warmup: 0 } })
  await t.rejects(run(options), /training: step \d+ gave a loss of .*; try a rate below 1e\+30, or more warm-up/)
})

await t.test('settings are read from a file, and checked', t => {
  const config = parsePPPMTrainConfig(
    'run.json',
    '{"model": "pppm-base", "hold_out": ["salsa"], "steps": 10, "warmup": 3}',
  )
  t.match(config, { model: 'pppm-base', holdOut: ['salsa'], settings: { steps: 10, warmup: 3, clip: 1 } })
  t.equal(parsePPPMTrainConfig('run.json', '{"steps": 40}').settings.warmup, 4, 'a tenth of a few steps')
  t.throws(() => parsePPPMTrainConfig('run.json', '{"framse": 16}'), /bad configuration: "framse" is none of \w+, /)
  t.throws(() => parsePPPMTrainConfig('run.json', '{"frames": 1, "steps": 5, "warmup": 5, "hold_out": [3]}'), {
    message:
      /bad configuration: .*hold_out.*frames must be an integer in 8..512, not 1.*warmup must be less than steps, which are 5, not 5/,
  })
  t.end()
})

await t.test('a curve of nothing is a picture too', t => {
  t.match(drawCurves('nothing', []), /<svg/)
  t.match(drawCurves('a & b', [{ name: 'x<y', points: [[1, NaN], [2, 0], [3, 5]] }]), /x&#60;y/) // prettier-ignore
  t.end()
})

await t.test('batches that are alike make the step that one of them makes', async t => {
  const weightsAfter = async (accumulate: number) => {
    const weights = new Weights()
    const layer = new Linear(weights.scope(), 3, 2)
    const x = Tensor.from(runtime, [1, 2, 3, -1, 0.5, 2], [2, 3])
    let prepared = 0
    const task: Task = {
      weights,
      prepare: () => Promise.resolve(`batch ${++prepared % 2}`),
      loss: () => ({ loss: mean(square(layer.forward(x))), parts: { size: mean(abs(layer.forward(x))) } }),
    }
    using trainer = Trainer.start(runtime, task, { ...settings, accumulate })
    const { loss, parts, norm } = [await trainer.step(), await trainer.step()][1]
    t.equal(prepared, 2 * accumulate)
    const values = await Promise.all([...weights.parameters.values()].map(({ value }) => value.floats()))
    x.dispose()
    return { loss, parts, norm, values }
  }
  t.same(await weightsAfter(4), await weightsAfter(1))
})

await t.test('batches that reach different weights cannot make a step together', async t => {
  const weights = new Weights()
  const layers = ['a', 'b'].map(name => new Linear(weights.scope().at(name), 1, 1))
  using x = Tensor.from(runtime, [1], [1, 1])
  let next = 0
  const task: Task = {
    weights,
    prepare: () => String(next++ % 2),
    loss: kind => ({ loss: mean(square(layers[Number(kind)].forward(x))), parts: {} }),
  }
  using trainer = Trainer.start(runtime, task, { ...settings, accumulate: 2 })
  await t.rejects(trainer.step(), { name: 'UsageError' })
})
