// Variants are compared, and the table of winners does what it says.

import t from 'tap'
import type { Spread } from '../../bench/measure.js'
import { openOurs, variantOf } from '../../bench/ours.js'
import { readOptions } from '../../bench/options.js'
import type { Row } from '../../bench/report.js'
import { tuneText, winsClearly } from '../../bench/tune.js'
import { linear, readTune } from '../../kernels/index.js'
import { FileError, Tensor, UsageError, type Tune } from '../../tensor/index.js'

const spread = (median: number, p90 = median): Spread => ({ median, p10: median, p90, rounds: 5, repeats: 1 })

const row = (classes: string[], chosen: string | null, seconds: Record<string, Spread>) =>
  ({ classes, chosen, variant_seconds: seconds }) as unknown as Row

await t.test('a win is clear where the median is a twentieth less, and nine rounds of ten are faster', t => {
  t.ok(winsClearly(spread(0.9), spread(1)))
  t.notOk(winsClearly(spread(0.96), spread(1)))
  t.notOk(winsClearly(spread(0.9, 1.1), spread(1)))
  t.notOk(winsClearly({ ...spread(0.5), rounds: 2 }, spread(1)), 'two rounds are not enough to tell')
  t.end()
})

await t.test('the table has the clear winners, class by class', t => {
  const [large, small, mixed, even] = ['1024', '64', '256', '16'].map(n => `matmul m${n} n${n} k${n} f32`)
  const rows = [
    row([large], 'direct', { direct: spread(1), tiled: spread(0.5), subgroup: spread(0.4) }),
    row([small], 'tiled', { direct: spread(1.2), tiled: spread(1) }),
    row([mixed], 'direct', { direct: spread(1), tiled: spread(0.5) }),
    row([mixed], 'direct', { direct: spread(1), tiled: spread(1.5) }),
    row([even], 'direct', { direct: spread(1), tiled: spread(0.98) }),
    row([large, small], 'direct', { direct: spread(1), tiled: spread(0.1) }),
    row([], null, {}),
  ]
  const adapter = 'hardware: some GPU'
  const table = readTune(tuneText({ adapter, rows }))
  t.equal(table.adapter, adapter)
  t.same([...table.choices], [[large, 'subgroup']], 'the fastest, and only where all cases of a class agree')

  const before = readTune(JSON.stringify({ adapter, choices: { conv: 'tiled', [large]: 'tiled' } }))
  const after = readTune(tuneText({ adapter, rows }, before))
  t.same(Object.fromEntries(after.choices), { conv: 'tiled', [large]: 'subgroup' }, 'what was chosen before stays')
  t.end()
})

const adapter = process.env.REVISION_ADAPTER ? undefined : 'swiftshader'

await t.test('a saved table overrules the rule', async t => {
  const open = async (tune?: Tune) => {
    const ours = await openOurs('webgpu', { adapter, tune })
    t.teardown(() => ours.close())
    const planned = () => {
      const [a, b] = [Tensor.zeros(ours.runtime, [64, 64]), Tensor.zeros(ours.runtime, [64, 64])]
      linear(a, b)
      return variantOf(ours.takeDispatches())
    }
    return { ours, planned }
  }
  const { ours, planned } = await open()
  const names = ours.variants?.names ?? []
  const programs = names.map(name => ours.variants?.choose.with(name, planned))
  t.same(ours.variants?.choose.takeClasses(), ['matmul m64 n64 k64 f32'])
  t.equal(new Set(programs).size, names.length, 'variants are different programs')
  const rule = planned()
  t.ok(programs.includes(rule), 'the rule takes one of them')
  for (const [i, name] of names.entries()) {
    const measured = row(['matmul m64 n64 k64 f32'], 'rule', { rule: spread(1), [name]: spread(0.1) })
    const text = tuneText({ adapter: ours.runtime.description, rows: [measured] })
    const tuned = await open(readTune(text))
    t.equal(tuned.planned(), programs[i], name)
  }
})

await t.test('options', async t => {
  t.match(await readOptions([]), { runtime: 'webgpu', variants: true, peers: [], seconds: 2 })
  t.equal(await readOptions(['--help']), undefined)
  const settings = await readOptions(['--runtime', 'wasm', '--threads', '2', '--peers', 'ort-wasm,ort-node'])
  t.match(settings, { runtime: 'wasm', threads: 2, peers: ['ort-wasm', 'ort-node'] })
  const before = process.env.REVISION_THREADS
  t.teardown(() => {
    if (before === undefined) delete process.env.REVISION_THREADS
    else process.env.REVISION_THREADS = before
  })
  process.env.REVISION_THREADS = '3'
  t.match(await readOptions([]), { threads: 3 })
  t.match(await readOptions(['--threads', '2']), { threads: 2 }, 'the option comes first')
  process.env.REVISION_THREADS = 'many'
  await t.rejects(readOptions([]), { name: 'UsageError', message: /^REVISION_THREADS: not a number of threads/ })
  process.env.REVISION_THREADS = ''
  t.match(await readOptions([]), { threads: undefined })
  const refused: [args: string[], message: RegExp][] = [
    [['--kernel', 'matmull'], /--kernel: unknown name; expected matmul, .*; got "matmull"/],
    [['--threads', '1.5'], /--threads: not a number of threads; .*; got "1.5"/],
    [['--threads', '1000'], /--threads: not a number of threads/],
    [['--seconds=-1'], /--seconds: not a time/],
    [['--runtime', 'wasm', '--save-tune', 'x'], /--save-tune: nothing to choose from; .*; got wasm/],
    [['--no-variants', '--save-tune', 'x'], /--save-tune: nothing to choose from; .*; got --no-variants/],
  ]
  for (const [args, message] of refused) {
    await t.rejects(readOptions(args), UsageError, args.join(' '))
    await t.rejects(readOptions(args), message)
  }
  await t.rejects(readOptions(['--tune', 'nowhere/tune.json']), FileError)
})
