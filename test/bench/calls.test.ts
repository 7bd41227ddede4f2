// The bench of single calls: one for every operation, which computes on both runtimes what it is measured as, and leaves
// nothing behind.

import t from 'tap'
import { calls, operandsOn } from '../../bench/cases/calls.js'
import { referenceKernels } from '../../kernels/reference.js'
import { readAll, scope, Tensor, type Runtime } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { referenceRuntime, wasmRuntime } from '../support/kernels.js'

const loops = await referenceRuntime()
const wasm = await wasmRuntime()
const size = { name: 'small', n: 4, c: 4 }

/** What a call gives, all its tensors one after the other. */
async function resultsOf(runtime: Runtime, name: string): Promise<Float32Array[]> {
  const made: Tensor[] = []
  const run = calls[name](operandsOn(runtime, made), size)
  const given = scope(() => [run()].flat().filter(value => value instanceof Tensor))
  const values = await readAll(given.length > 0 ? given : made)
  for (const tensor of [...given, ...made]) tensor.dispose()
  return values.map(list => Float32Array.from(list))
}

void t.test('every operation has a call', t => {
  const named = Object.keys(calls).map(name => name.split(',')[0])
  for (const { op } of referenceKernels) t.ok(named.includes(op.name), op.name)
  t.end()
})

void t.test('a call computes the same on both runtimes, and releases all', async t => {
  for (const name of Object.keys(calls)) {
    const before = [loops, wasm].map(runtime => runtime.statistics().live)
    const dispatched = wasm.statistics().dispatches
    const [wanted, found] = [await resultsOf(loops, name), await resultsOf(wasm, name)]
    t.ok(wasm.statistics().dispatches > dispatched, `${name}: something is computed`)
    t.equal(found.length, wanted.length, name)
    wanted.forEach((values, i) => close(t, found[i], values, 1e-3, `${name}: tensor ${i}`))
    const after = [loops, wasm].map(runtime => runtime.statistics().live)
    t.same(after, before, `${name}: nothing stays in memory`)
  }
})
