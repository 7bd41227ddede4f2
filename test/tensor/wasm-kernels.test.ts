// What the build step reads from the AssemblyScript of kernels: their parameters, and the sizes that the host shares.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { constants, wasmModule } from '../../kernels/wasm.generated.js'
import type { ParamField } from '../../tensor/wasm/module.js'
import { projectRoot } from '../support/paths.js'

interface BuildStep {
  kernelsOf(text: string, file: string): [string, ParamField[]][]
  constantsOf(text: string): [string, number][]
}

const { kernelsOf, constantsOf } = (await import(
  pathToFileURL(join(projectRoot, 'scripts/wasm-kernels.mjs')).href
)) as BuildStep

const good = `
/** A list // of two */
@unmanaged
class SumParams {
  x: usize // [n], a: b
  n: u32; scale: f32
}

/** A unit is an element. */
export function sum(
  p: SumParams,
  from: u32,
  to: u32,
  _scratch: usize,
): void {}

export function add(x: usize, y: usize): f32 { return 0 }
`

await t.test('a kernel is an exported function of its parameters and a run of units', t => {
  const fields = [
    { name: 'x', type: 'usize' },
    { name: 'n', type: 'u32' },
    { name: 'scale', type: 'f32' },
  ]
  t.same(kernelsOf(good, 'sum.as.ts'), [['sum', fields]])
  const text = readFileSync(join(projectRoot, 'kernels/softmax/softmax.as.ts'), 'utf8')
  for (const [name, fields] of kernelsOf(text, 'softmax.as.ts')) t.same(wasmModule.kernels[name], fields, name)
  t.end()
})

await t.test('what only nearly is one is refused', t => {
  const refuse = (before: string, after: string, message: RegExp) => {
    t.ok(good.includes(before), before)
    t.throws(() => kernelsOf(good.replace(before, after), 'sum.as.ts'), { message })
  }
  const isNone =
    /^sum\.as\.ts: sum: a kernel is \(params: <Name>Params, from: u32, to: u32, scratch: usize\): void; got /
  refuse('from: u32', 'from: i32', isNone)
  refuse('  _scratch: usize,\n', '', isNone)
  refuse('_scratch: usize', '_scratch: usize, more: u32', isNone)
  refuse('p: SumParams', 'p: usize', isNone)
  refuse('): void', '): u32', isNone)
  refuse('add(x: usize', 'add(x: SumParams', /: add: a kernel is /)
  refuse('export function sum', 'function sum', /^sum\.as\.ts: SumParams: no exported kernel has these parameters$/)
  refuse('p: SumParams', 'p: OtherParams', /: sum: parameter class OtherParams is not in the same file/)
  refuse('@unmanaged', '', /: SumParams: a class of parameters is @unmanaged and extends none/)
  refuse('SumParams {', 'SumParams extends Other {', /: SumParams: a class of parameters is @unmanaged/)
  refuse('n: u32', 'n: u64', /: SumParams\.n: a parameter is one of usize, u32, i32, f32, not u64/)
  refuse('n: u32', 'n: u32 = 1', /: SumParams: expected fields of one word; got = 1/)
  t.end()
})

await t.test('exported whole numbers are what the host shares', t => {
  const text = 'export const ROWS: u32 = 4\nconst own: u32 = 5\nexport const TABLE = memory.data<f32>([1])\n'
  t.same(constantsOf(text), [['ROWS', 4]])
  t.match(constants, { TILE_ROWS: 4, TILE_COLUMNS: 8 })
  t.end()
})
