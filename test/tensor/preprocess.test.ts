// The WGSL preprocessor and the reader of shader interfaces: what a kernel author relies on.

import t from 'tap'
import { packUniforms, readInterface } from '../../tensor/webgpu/interface.js'
import { preprocess } from '../../tensor/webgpu/preprocess.js'

const files = {
  'main.wgsl': [
    '#include "part.wgsl" NAME=a',
    '#include "part.wgsl" NAME=b',
    '#include "part.wgsl" NAME=a',
    '#param ROWS 8',
    '#param T f32',
    '#if FAST',
    'fast',
    '#if MODE == two',
    'two',
    '#else',
    'not two',
    '#endif',
    '#else',
    'slow',
    '#endif',
  ].join('\n'),
  'part.wgsl': 'part $NAME',
  'open.wgsl': '#if A\nx',
  'stray.wgsl': '#endif',
  'lost.wgsl': '#include "none.wgsl"',
  'endless.wgsl': '#for i in 2\n#for j in 2\n#end',
  'countless.wgsl': '#for i in MANY\n#end',
  'half.wgsl': '#for i in 2\n#if A\n#end\n#endif',
  'loops.wgsl': [
    '#param ROWS 2',
    '#for i in ROWS',
    'row $i',
    '#for j in COUNT',
    '#if ODD',
    'at $i $j',
    '#endif',
    '#end',
    '#include "part.wgsl" NAME=$i',
    '#end',
  ].join('\n'),
}

const lines = (file: string, defines = {}) => preprocess(file, files, defines).split('\n')

await t.test('includes once per directive, chooses branches, declares parameters', t => {
  t.same(lines('main.wgsl'), ['part a', 'part b', 'const ROWS = 8;', 'alias T = f32;', 'slow'])
  t.same(lines('main.wgsl', { FAST: true, MODE: 'two', ROWS: 4, T: 'f16' }), [
    'part a',
    'part b',
    'const ROWS = 4;',
    'alias T = f16;',
    'fast',
    'two',
  ])
  t.match(lines('main.wgsl', { FAST: 1 }), { length: 6 })
  t.end()
})

await t.test('repeats lines with their number', t => {
  const body = (i: number, js: number[]) => [`row ${i}`, ...js.map(j => `at ${i} ${j}`), `part ${i}`]
  t.same(lines('loops.wgsl', { COUNT: 2, ODD: true }), ['const ROWS = 2;', ...body(0, [0, 1]), ...body(1, [0, 1])])
  t.same(lines('loops.wgsl', { COUNT: 3, ROWS: 1 }), ['const ROWS = 1;', ...body(0, [])])
  t.same(lines('loops.wgsl', { COUNT: 0, ODD: true, ROWS: 0 }), ['const ROWS = 0;'])
  t.end()
})

await t.test('says where a file is broken', t => {
  t.throws(() => lines('endless.wgsl'), { message: 'endless.wgsl: #for without #end' })
  t.throws(() => lines('half.wgsl'), { message: 'half.wgsl: #if without #endif' })
  for (const count of [undefined, -1, 0.5, 1e9, 'many'])
    t.throws(() => lines('countless.wgsl', count === undefined ? {} : { MANY: count }), {
      message: 'countless.wgsl: no count; expected 0 to 1024; got MANY',
    })
  t.throws(() => lines('open.wgsl'), { message: 'open.wgsl: #if without #endif' })
  t.throws(() => lines('stray.wgsl'), { message: 'stray.wgsl: misplaced directive; got #endif' })
  t.throws(() => lines('lost.wgsl'), { message: 'lost.wgsl: no such shader file; got none.wgsl' })
  t.end()
})

const shader = `
struct Params {
  m: u32, // rows
  eps: f32,
  shape: array<vec4<u32>, 2>,
  last: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
`

await t.test('refuses numbers that would wrap around', t => {
  const found = readInterface('shader', 'struct Params { n: u32, i: i32, list: array<vec4<u32>, 1>, x: f32, }')
  const view = new DataView(new ArrayBuffer(64))
  const pack = (values: object) => () =>
    packUniforms('shader', found, { n: 0, i: 0, list: [], x: -0.5, ...values }, view)
  pack({ n: 2 ** 32 - 1, i: -(2 ** 31) })()
  t.equal(view.getUint32(0, true), 2 ** 32 - 1)
  t.equal(view.getInt32(4, true), -(2 ** 31))
  for (const n of [2 ** 32, -1, 0.5, NaN, Infinity])
    t.throws(pack({ n }), {
      name: 'KernelError',
      message: `shader: uniform n does not fit its type; expected u32; got ${n}`,
    })
  t.throws(pack({ i: 2 ** 31 }), /uniform i does not fit its type; expected i32/)
  t.throws(pack({ list: [0, -1] }), /uniform list does not fit its type; expected u32; got -1/)
  t.end()
})

await t.test('reads bindings and packs uniforms by name', t => {
  const found = readInterface('shader', shader)
  t.same(found.buffers, [
    { name: 'out', index: 2, writable: true },
    { name: 'x', index: 1, writable: false },
  ])
  t.equal(found.uniformBytes, 64)
  const view = new DataView(new ArrayBuffer(64))
  packUniforms('shader', found, { m: 7, eps: 0.5, shape: [1, 2, 3, 4, 5], last: -1 }, view)
  t.equal(view.getUint32(0, true), 7)
  t.equal(view.getFloat32(4, true), 0.5)
  t.equal(view.getUint32(32, true), 5, 'arrays of vec4 start at a multiple of 16')
  t.equal(view.getInt32(48, true), -1)
  t.throws(() => packUniforms('shader', found, { m: 7 }, view), { message: 'shader: uniform not given; expected eps' })
  t.throws(() => packUniforms('shader', found, { m: 7, eps: 1, shape: [], last: 0, typo: 1 }, view), /unknown uniforms/)
  t.throws(() => readInterface('shader', 'struct Params { a: vec3<f32>, }'), /field of unknown type/)
  t.throws(() => readInterface('shader', 'struct Params { n: u32, a: array<vec4<f32>, 16>, }'), {
    name: 'KernelError',
    message: 'shader: struct Params is too large; expected at most 256 bytes; got 272',
  })
  t.end()
})
