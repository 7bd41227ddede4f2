// Choosing and summing along one axis by index: x and the output are [outer, length or count, inner] elements. Indices
// are compared without a sign, so that negative ones are too large as well.
//
// Kernels:
//   gatherRows       one index chooses a row of inner elements; a unit is a run of one row's
//   gatherElements   every element has its index; a unit is a run of the output
//   scatterAddRows   a unit is a block of columns of one of the outer indices: elements are added in their order

import { copyRun, fillRun } from '../common/bytes.as'
import { at, F32, floatAt, load1, widen } from '../common/operand.as'

const NAN: u32 = 0x7fc00000

/** Rows shorter than this are copied element by element. */
const SHORT: u32 = 4

@unmanaged
class GatherParams {
  x: usize
  index: usize
  out: usize
  format: u32
  length: u32
  count: u32
  inner: u32
  size: u32 // of the output
  unit: u32 // elements
}

/** A unit is a run of the inner elements that one index chooses. */
export function gatherRows(p: GatherParams, from: u32, to: u32, _scratch: usize): void {
  const format = p.format
  const inner = p.inner
  const runs = (inner + p.unit - 1) / p.unit
  const row = from / runs
  let run = from - row * runs
  let slab = row / p.count
  let item = row - slab * p.count
  let out = floatAt(p.out, row * inner)
  for (let unit = from; unit < to; unit++) {
    const start = run * p.unit
    const elements = min(p.unit, inner - start)
    const chosen = load<u32>(floatAt(p.index, item))
    const target = floatAt(out, start)
    const source = at(p.x, (slab * p.length + chosen) * inner + start, format)
    if (chosen >= p.length) fillRun(target, NAN, elements << 2)
    else if (elements < SHORT)
      for (let i: u32 = 0; i < elements; i++) store<f32>(floatAt(target, i), load1(at(source, i, format), format))
    else if (format == F32) copyRun(target, source, elements << 2)
    else widen(source, format, elements, target)
    if (++run < runs) continue
    run = 0
    out = floatAt(out, inner)
    if (++item < p.count) continue
    item = 0
    slab++
  }
}

/** A unit is a run of the output. */
export function gatherElements(p: GatherParams, from: u32, to: u32, _scratch: usize): void {
  const format = p.format
  const inner = p.inner
  const length = p.length
  let element = from * p.unit
  const end = min(to * p.unit, p.size)
  let row = element / inner
  let column = element - row * inner
  let slab = row / p.count
  row -= slab * p.count
  for (; element < end; element++) {
    const chosen = load<u32>(floatAt(p.index, element))
    const value = chosen < length ? load1(at(p.x, (slab * length + chosen) * inner + column, format), format) : NaN
    store<f32>(floatAt(p.out, element), value)
    if (++column < inner) continue
    column = 0
    if (++row < p.count) continue
    row = 0
    slab++
  }
}

@unmanaged
class ScatterParams {
  x: usize
  index: usize
  out: usize
  format: u32
  length: u32
  size: u32
  inner: u32
  unit: u32 // columns
}

/** A unit is a block of columns of one of the outer indices. */
export function scatterAddRows(p: ScatterParams, from: u32, to: u32, _scratch: usize): void {
  const format = p.format
  const inner = p.inner
  const size = p.size
  const blocks = (inner + p.unit - 1) / p.unit
  for (let unit = from; unit < to; unit++) {
    const slab = unit / blocks
    const column = (unit - slab * blocks) * p.unit
    const columns = min(p.unit, inner - column)
    const out = floatAt(p.out, slab * size * inner + column)
    if (columns == inner) memory.fill(out, 0, (size * inner) << 2)
    else for (let row: u32 = 0; row < size; row++) fillRun(floatAt(out, row * inner), 0, columns << 2)
    let element = slab * p.length * inner + column
    for (let row: u32 = 0; row < p.length; row++, element += inner)
      for (let i: u32 = 0; i < columns; i++) {
        const chosen = load<u32>(floatAt(p.index, element + i))
        if (chosen >= size) continue
        const target = floatAt(out, chosen * inner + i)
        store<f32>(target, load<f32>(target) + load1(at(p.x, element + i, format), format))
      }
  }
}
