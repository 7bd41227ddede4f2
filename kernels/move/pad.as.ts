// Padding, a row of the output at a time: the row of x that it shows, and what stands before and after. A row is made
// of items: the elements of all axes inside the innermost padded one, which move together.

import { copyRun, fillRun } from '../common/bytes.as'

// Modes, by their numbers in wasm.ts; the third repeats the edge.
const CONSTANT: u32 = 0
const REFLECT: u32 = 1

@unmanaged
class PadParams {
  x: usize
  out: usize
  mode: u32
  value: u32 // an element of the constant, or several, as a word
  item: u32 // bytes
  size: u32 // items of a row of x
  before: u32
  after: u32
  axes: u32
  list: usize // of the axes outside a row, innermost first: size of the output, size of x, elements before
}

/** A unit is a row of the output. */
export function pad(p: PadParams, from: u32, to: u32, _scratch: usize): void {
  const item = p.item
  const row = p.size * item
  const before = p.before * item
  const after = p.after * item
  const mode = p.mode
  let out = p.out + from * (before + row + after)
  for (let unit = from; unit < to; unit++, out += before + row + after) {
    const source = sourceRow(p, unit)
    if (source < 0) {
      fillRun(out, p.value, before + row + after)
      continue
    }
    const x = p.x + <u32>source * row
    copyRun(out + before, x, row)
    if (mode == CONSTANT) {
      fillRun(out, p.value, before)
      fillRun(out + before + row, p.value, after)
    } else {
      for (let i: u32 = 0; i < p.before; i++)
        copyRun(out + i * item, x + place(<i32>i - p.before, p.size, mode) * item, item)
      for (let i: u32 = 0; i < p.after; i++)
        copyRun(out + before + row + i * item, x + place(p.size + i, p.size, mode) * item, item)
    }
  }
}

/** The row of x that a row of the output shows; -1 for none. */
function sourceRow(p: PadParams, row: u32): i32 {
  let source: u32 = 0
  let stride: u32 = 1
  let list = p.list
  for (let axis: u32 = 0; axis < p.axes; axis++, list += 12) {
    const outSize = load<u32>(list)
    const size = load<u32>(list, 4)
    const at = place(<i32>(row % outSize) - load<i32>(list, 8), size, p.mode)
    if (<u32>at >= size) return -1
    source += at * stride
    stride *= size
    row /= outSize
  }
  return source
}

/** The index along an axis that is shown at one which may lie outside; for mode constant that one itself. */
function place(at: i32, size: i32, mode: u32): i32 {
  if (mode == CONSTANT) return at
  if (mode == REFLECT) return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at
  return max(0, min(at, size - 1))
}
