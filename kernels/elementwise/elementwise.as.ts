// out = f(a), f(a, b) or f(a, b, c), four elements at a time.

import { Box, firstColumn, firstElement, firstRow } from '../common/box.as'
import { SILU } from '../common/epilogue.as'
import { silu4 } from '../common/math.as'
import { at, F32, floatAt, load1, load4, storeUpTo4 } from '../common/operand.as'
import { ADD, AFFINE, binary4, MUL, unary4 } from './functions.as'

@unmanaged
class UnaryParams {
  x: usize
  out: usize
  format: u32
  name: u32
  size: u32
  unit: u32 // elements, a multiple of 4
  p: f32
  q: f32
}

/** A unit is a run of elements. */
export function unary(params: UnaryParams, from: u32, to: u32, _scratch: usize): void {
  const format = params.format
  const name = params.name
  const p = f32x4.splat(params.p)
  const q = f32x4.splat(params.q)
  const end = min(to * params.unit, params.size)
  const whole = end & ~3
  let i = from * params.unit
  let out = floatAt(params.out, i)
  // What models run most has loops of its own: choosing costs as much as a multiplication, and calls as much as an exp.
  if (name == SILU) for (; i < whole; i += 4, out += 16) v128.store(out, silu4(load4(at(params.x, i, format), format)))
  else if (name == AFFINE)
    for (; i < whole; i += 4, out += 16)
      v128.store(out, f32x4.add(f32x4.mul(load4(at(params.x, i, format), format), p), q))
  for (; i < end; i += 4, out += 16) {
    const y = unary4(load4(at(params.x, i, format), format), name, p, q)
    if (i < whole) v128.store(out, y)
    else storeUpTo4(out, y, end - i)
  }
}

@unmanaged
class BinaryParams {
  a: usize
  b: usize
  out: usize
  aFormat: u32
  bFormat: u32
  name: u32
  box: usize
  outStrides: usize
  aStrides: usize
  bStrides: usize
}

/** A unit is a block of the box. */
export function binary(p: BinaryParams, from: u32, to: u32, _scratch: usize): void {
  const box = changetype<Box>(p.box)
  for (let unit = from; unit < to; unit++) {
    let out = floatAt(p.out, firstElement(box, unit, p.outStrides))
    let a = at(p.a, firstElement(box, unit, p.aStrides), p.aFormat)
    let b = at(p.b, firstElement(box, unit, p.bStrides), p.bFormat)
    const columns = min(box.blockColumns, box.columns - firstColumn(box, unit))
    for (let rows = min(box.blockRows, box.rows - firstRow(box, unit)); rows > 0; rows--) {
      binaryRow(p, a, b, out, columns)
      out = floatAt(out, load<u32>(p.outStrides, 4))
      a = at(a, load<u32>(p.aStrides, 4), p.aFormat)
      b = at(b, load<u32>(p.bStrides, 4), p.bFormat)
    }
  }
}

/** An operand's columns lie side by side, or its first one stands for all. */
function binaryRow(p: BinaryParams, a: usize, b: usize, out: usize, columns: u32): void {
  const name = p.name
  const aFormat = p.aFormat
  const bFormat = p.bFormat
  const aMoves = load<u32>(p.aStrides)
  const bMoves = load<u32>(p.bStrides)
  let x = f32x4.splat(load1(a, aFormat))
  let y = f32x4.splat(load1(b, bFormat))
  let i: u32 = 0
  // As in `unary`; the operands are f32, side by side.
  if (aFormat + bFormat == F32 && aMoves & bMoves) {
    const whole = columns & ~3
    if (name == ADD)
      for (; i < whole; i += 4, out += 16)
        v128.store(out, f32x4.add(v128.load(floatAt(a, i)), v128.load(floatAt(b, i))))
    else if (name == MUL)
      for (; i < whole; i += 4, out += 16)
        v128.store(out, f32x4.mul(v128.load(floatAt(a, i)), v128.load(floatAt(b, i))))
  }
  for (; i < columns; i += 4, out += 16) {
    if (aMoves) x = load4(at(a, i, aFormat), aFormat)
    if (bMoves) y = load4(at(b, i, bFormat), bFormat)
    const z = binary4(x, y, name)
    if (i + 4 <= columns) v128.store(out, z)
    else storeUpTo4(out, z, columns - i)
  }
}

@unmanaged
class BlendParams {
  a: usize
  b: usize
  c: usize
  out: usize
  aFormat: u32
  bFormat: u32
  cFormat: u32
  mixes: u32 // c a + (1 - c) b; else a where c > 0, b where it is not
  box: usize
  outStrides: usize
  aStrides: usize
  bStrides: usize
  cStrides: usize
}

/** A unit is a block of the box. */
export function blend(p: BlendParams, from: u32, to: u32, _scratch: usize): void {
  const box = changetype<Box>(p.box)
  for (let unit = from; unit < to; unit++) {
    let out = floatAt(p.out, firstElement(box, unit, p.outStrides))
    let a = at(p.a, firstElement(box, unit, p.aStrides), p.aFormat)
    let b = at(p.b, firstElement(box, unit, p.bStrides), p.bFormat)
    let c = at(p.c, firstElement(box, unit, p.cStrides), p.cFormat)
    const columns = min(box.blockColumns, box.columns - firstColumn(box, unit))
    for (let rows = min(box.blockRows, box.rows - firstRow(box, unit)); rows > 0; rows--) {
      blendRow(p, a, b, c, out, columns)
      out = floatAt(out, load<u32>(p.outStrides, 4))
      a = at(a, load<u32>(p.aStrides, 4), p.aFormat)
      b = at(b, load<u32>(p.bStrides, 4), p.bFormat)
      c = at(c, load<u32>(p.cStrides, 4), p.cFormat)
    }
  }
}

function blendRow(p: BlendParams, a: usize, b: usize, c: usize, out: usize, columns: u32): void {
  const aFormat = p.aFormat
  const bFormat = p.bFormat
  const cFormat = p.cFormat
  const aMoves = load<u32>(p.aStrides)
  const bMoves = load<u32>(p.bStrides)
  const cMoves = load<u32>(p.cStrides)
  const mixes = p.mixes
  let x = f32x4.splat(load1(a, aFormat))
  let y = f32x4.splat(load1(b, bFormat))
  let w = f32x4.splat(load1(c, cFormat))
  for (let i: u32 = 0; i < columns; i += 4, out += 16) {
    if (aMoves) x = load4(at(a, i, aFormat), aFormat)
    if (bMoves) y = load4(at(b, i, bFormat), bFormat)
    if (cMoves) w = load4(at(c, i, cFormat), cFormat)
    const z = mixes
      ? f32x4.add(f32x4.mul(w, x), f32x4.mul(f32x4.sub(f32x4.splat(1), w), y))
      : v128.bitselect(x, y, f32x4.gt(w, f32x4.splat(0)))
    if (i + 4 <= columns) v128.store(out, z)
    else storeUpTo4(out, z, columns - i)
  }
}
