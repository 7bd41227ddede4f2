// The bench measures only what is right, measures by turns, and tells what it found.

import t from 'tap'
import { runBench } from '../../bench/bench.js'
import { sizeClasses, type Case } from '../../bench/case.js'
import { casesOf } from '../../bench/cases/index.js'
import { judge, sampleOf } from '../../bench/check.js'
import { costOfRun } from '../../bench/cost.js'
import { pageOf } from '../../bench/html.js'
import { measure, spreadOf, type Runner } from '../../bench/measure.js'
import { openOurs } from '../../bench/ours.js'
import { lead, textOf, type Report } from '../../bench/report.js'
import { add, matmul, mul, relu, sigmoid, silu } from '../../kernels/index.js'
import { scope } from '../../tensor/index.js'

const shape = [3, 8]

const right: Case = {
  kernel: 'matmul',
  name: '8 <x> 8',
  unit: 'GFLOP/s',
  operands: { a: { shape: [8, 8] }, b: { shape: [8, 8], dtype: 'f16' } },
  run: ({ a, b }) => matmul(a, b),
  check:
    ({ a, b }) =>
    index => {
      let sum = 0
      for (let i = 0; i < 8; i++) sum += a[index - (index % 8) + i] * b[i * 8 + (index % 8)]
      return sum
    },
}

const onSmallOperands: Case = {
  kernel: 'elementwise',
  name: 'silu',
  unit: 'GB/s',
  operands: { x: { shape } },
  run: ({ x }) => silu(x),
  check: { operands: { x: { shape: [2] } }, run: ({ x }) => silu(x) },
}

const beside: Case = {
  ...onSmallOperands,
  name: 'silu beside another way',
  plain: { run: ({ x }) => scope(() => mul(x, sigmoid(x))) },
}

const besideAnother: Case = { ...beside, name: 'silu beside something else', plain: { run: ({ x }) => relu(x) } }

const inTwoSteps: Case = {
  kernel: 'elementwise',
  name: 'silu of a sum made ahead',
  unit: 'GB/s',
  operands: { x: { shape } },
  setup({ x }) {
    const twice = add(x, x)
    return {
      run: () => silu(twice),
      [Symbol.dispose]: () => twice.dispose(),
    }
  },
  check:
    ({ x }) =>
    index =>
      (2 * x[index]) / (1 + Math.exp(-2 * x[index])),
}

const wrong: Case = {
  ...onSmallOperands,
  name: 'relu for silu',
  run: ({ x }) => relu(x),
  check:
    ({ x }) =>
    index =>
      x[index] / (1 + Math.exp(-x[index])),
}

const broken: Case = {
  ...right,
  name: 'does not fit',
  operands: { a: { shape: [8, 8] }, b: { shape: [7, 8] } },
}

await t.test('a session', async t => {
  const ours = await openOurs('webgpu', { adapter: process.env.REVISION_ADAPTER ? undefined : 'swiftshader' })
  t.teardown(() => ours.close())
  const seen: string[] = []
  const ceiling = ours.measureCeiling?.() // once is enough here
  const report = await runBench(ceiling ? { ...ours, measureCeiling: () => ceiling } : ours, {
    cases: [right, onSmallOperands, wrong, broken],
    shapes: 'software',
    seconds: 0.05,
    variants: true,
    progress: row => seen.push(row.name),
  })
  const [product, pointwise, mistaken, misfit] = report.rows

  t.same(seen, ['8 <x> 8', 'silu', 'relu for silu', 'does not fit'], 'tells of each row as it comes')
  t.ok(report.ceiling && report.ceiling.gflops > 0 && report.ceiling.gbs > 0, 'measures the ceilings')
  for (const row of [product, pointwise]) {
    t.ok(row.ours !== null && row.ours > 0, `${row.name}: has a rate`)
    t.ok(row.seconds && row.seconds.p10 <= row.seconds.median && row.seconds.median <= row.seconds.p90, 'and a spread')
    t.ok(row.ceiling_share !== null && row.ceiling_share > 0, 'and a share of the ceiling')
    t.equal(row.dispatches, 1)
    t.same(row.notes, {})
  }
  t.equal(product.flops, 2 * 8 ** 3)
  t.equal(product.bytes, 4 * 64 + 2 * 64 + 4 * 64, 'operands and output')
  t.equal(product.bytes_allocated, 4 * 64, 'only the output is allocated')
  t.match(product.variant, /^matmul\/\S+\.wgsl .*B_FORMAT=f16x4/, 'names the shader and what was chosen')
  t.same(product.classes, ['matmul m8 n8 k8 f16'], 'and the class of its shapes')
  t.same(Object.keys(product.variants), ours.variants?.names, 'every variant that can run has been measured')
  t.ok(Object.values(product.variants).every(rate => rate !== null && rate > 0))
  t.equal(product.variants[product.chosen ?? ''], product.ours, 'the one in use is our own rate')
  t.equal(pointwise.chosen, null, 'a kernel without variants has none')

  t.equal(mistaken.ours, null, 'a wrong output has no rate')
  t.match(mistaken.notes.ours, /^wrong output: relative error .*; element \d+ is .* for /)
  t.equal(misfit.ours, null, 'a case that throws has no rate')
  t.match(misfit.notes.ours, /inner sizes differ/)
  t.equal(ours.runtime.statistics().live, 0, 'nothing is left on the device')

  await t.test('as JSON', t => {
    t.same(JSON.parse(JSON.stringify(report)) as Report, report, 'loses nothing')
    t.match(report.date, /^\d{4}-\d\d-\d\dT/)
    t.end()
  })

  await t.test('as text', t => {
    const text = textOf(report)
    t.match(text, /software shapes: scaled down/, 'says what kind of shapes these are')
    t.match(text, /! elementwise relu for silu: ours: wrong output/)
    t.match(text, /our variants .*\n.*direct .*tiled.*\nmatmul .*\*/, 'compares our variants')
    t.end()
  })

  await t.test('as a page', t => {
    const page = pageOf({ ...report, peers: { tfjs: '4' }, rows: [{ ...product, peers: { tfjs: 0.001 } }, mistaken] })
    t.match(page, /<svg /)
    t.match(page, '8 &lt;x&gt; 8', 'names are escaped')
    t.notMatch(page, /<script|https?:|8 <x> 8/, 'stands alone')
    t.match(page, /0\.00100 tfjs/, 'peers stand beside us')
    t.match(page, / tiled</, 'and our own variants')
    t.match(page, /ours: none/)
    t.notMatch(page, /NaN|undefined/)
    t.end()
  })
})

await t.test('a session on threads of the CPU', async t => {
  const ours = await openOurs('wasm', { threads: 2 })
  t.teardown(() => ours.close())
  const report = await runBench(ours, {
    cases: [right, onSmallOperands, inTwoSteps],
    shapes: 'software',
    seconds: 0.02,
  })
  t.match(report, { runtime: 'wasm', threads: 2 })
  for (const ceiling of [report.ceiling, report.ceiling_one_thread])
    t.ok(ceiling && ceiling.gflops > 0 && ceiling.gbs > 0, 'measures what the threads can do, and one of them')
  for (const row of report.rows) {
    t.ok(row.ours !== null && row.ours > 0, `${row.name}: has a rate`)
    t.ok(row.one_thread !== null && row.one_thread > 0, 'and one on a single thread')
    t.same(row.notes, {})
  }
  t.equal(ours.runtime.statistics().live, 0, 'nothing is left of what was made ready')
  t.match(textOf(report), /1 thread +scaling/, 'the table tells what threads are worth')
  t.match(pageOf(report), /ours on one thread/)
})

await t.test('what a case is about is measured beside the plain way', async t => {
  const ours = await openOurs('wasm', { threads: 1 })
  t.teardown(() => ours.close())
  const cases = [beside, besideAnother, onSmallOperands]
  const report = await runBench(ours, { cases, shapes: 'software', seconds: 0.02 })
  const [good, bad, single] = report.rows
  t.ok(good.plain !== null && good.plain > 0 && good.plain_seconds, 'both have a rate')
  t.same(good.notes, {})
  t.equal(bad.plain, null, 'another output has none')
  t.match(bad.notes.plain, /^wrong output/)
  t.equal(single.plain, null)
  t.match(textOf(report), /plain +gain/)
  t.match(pageOf(report), /without what the case is about/)
})

await t.test('runners take turns, and one that fails drops out', async t => {
  const calls: string[] = []
  const runner = (name: string, fails = Infinity): Runner => ({
    name,
    round(repeats) {
      calls.push(name)
      if (--fails < 0) return Promise.reject(new Error('gone'))
      return Promise.resolve(0.03 * repeats)
    },
  })
  const [a, b, c] = await measure([runner('a'), runner('b'), runner('c', 1)], 0.08)
  t.same(calls, ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b'])
  t.match(a, { median: 0.03, rounds: 3, repeats: 1 })
  t.match(b, { median: 0.03, rounds: 3 })
  t.match(c, { message: 'gone' })
})

await t.test('short runs are gathered into rounds', async t => {
  const asked: number[] = []
  const quick: Runner = {
    name: 'quick',
    round(repeats) {
      asked.push(repeats)
      return Promise.resolve(0.001 * repeats)
    },
  }
  t.match(await measure([quick], 0.05), [{ median: 0.001, repeats: 20, rounds: 3 }])
  t.same(asked, [1, 20, 20, 20])
})

await t.test('the fastest peer, native code apart', t => {
  const peers = { 'ort-node': 8, 'ort-wasm': 1, 'jax-wasm': null }
  t.same(lead({ ours: 2, peers }), { times: 2, peer: 'ort-wasm' })
  t.equal(lead({ ours: null, peers }), undefined)
  t.equal(lead({ ours: 2, peers: { 'ort-node': 8 } }), undefined)
  t.end()
})

await t.test('the spread of rounds', t => {
  t.match(spreadOf([5, 1, 3], 2), { median: 3, p10: 1.4, p90: 4.6, rounds: 3, repeats: 2 })
  t.end()
})

await t.test('a sample finds a single wrong element of a small output, and any NaN it meets', t => {
  const truth = (index: number) => Math.sin(index)
  const sample = sampleOf(16, truth)
  t.same(
    sample.indices,
    Array.from({ length: 16 }, (_, i) => i),
  )
  const good = sample.indices.map(truth)
  t.equal(judge(sample, good, 1e-6).complaint, undefined)
  t.match(judge(sample, good.with(5, 1), 1e-6).complaint, /element 5 is 1 for -0\.95/)
  t.match(judge(sample, good.with(7, NaN), 1e-6).complaint, /element 7 is NaN/)
  t.match(judge(sample, [], 1e-6).complaint, /wrong output/, 'nothing is not right')
  t.ok(sampleOf(1e9, truth).indices.length < 400, 'few elements, however many there are')
  t.end()
})

await t.test('every case of the collection fits together', t => {
  for (const shapes of sizeClasses) {
    const cases = casesOf(shapes)
    const names = cases.map(({ kernel, name }) => `${kernel} ${name}`)
    t.equal(new Set(names).size, names.length, `${shapes}: names are unique`)
    for (const [i, subject] of cases.entries()) {
      const { flops, bytes } = costOfRun(subject)
      t.ok(bytes > 0 && (flops > 0 || subject.unit === 'GB/s'), names[i])
    }
  }
  const unet = casesOf('full').find(({ name }) => name.startsWith('SVD-XT UNet step'))
  // Counted from torch's graph: 79.948 TFLOP; attention to a context of one token is shorter here.
  const tera = unet ? costOfRun(unet).flops / 1e12 : 0
  t.ok(tera > 76 && tera < 80, `a step of the real model costs what it must: ${tera.toFixed(1)} TFLOP`)
  t.end()
})
