// The bench of single calls: it has one for every operation.

import t from 'tap'
import { referenceKernels } from '../../kernels/reference.js'
import { calls } from '../../bench/cases/calls.js'
import { scope, Tensor } from '../../tensor/index.js'
import { referenceRuntime } from '../support/kernels.js'

await t.test('every operation is called', async t => {
  const runtime = await referenceRuntime()
  const zeros = (...shape: number[]) => Tensor.zeros(runtime, shape)
  const indices = (_: number, ...shape: number[]) => Tensor.zeros(runtime, shape, 'i32')
  const named = Object.keys(calls).map(name => name.split(',')[0])
  for (const { op } of referenceKernels) t.ok(named.includes(op.name), op.name)
  for (const [name, call] of Object.entries(calls)) {
    const { dispatches } = runtime.statistics()
    scope(() => void call({ normal: zeros, integers: indices }, { name: 'tiny', n: 2, c: 2 })())
    t.ok(runtime.statistics().dispatches > dispatches, name)
  }
})
