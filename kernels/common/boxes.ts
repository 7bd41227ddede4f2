// Boxes of indices walked by strided operands: the host side of box.wgsl. Axes that every operand walks as one are
// merged, and a box whose operands reach too far for their bindings is cut until each fits a window.

import { ShapeError, showShape, type Shape, type StoredTensor } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Uniforms } from '../../tensor/webgpu/interface.js'
import { windowElements, windowOf, type Window } from '../../tensor/webgpu/launch.js'
import type { Defines } from '../../tensor/webgpu/preprocess.js'
import { streamOf } from './workgroup.js'

/**
 * How an operand is walked: element `start` + the sum of index x stride over the axes. Strides may be 0 or negative.
 */
export interface Strided {
  readonly tensor: StoredTensor
  readonly start: number
  readonly strides: readonly number[]
}

/** A box that one dispatch can walk. Lists are in the order of the operands; the output comes first. */
export interface BoxLaunch {
  readonly windows: readonly Window[]
  /** Whether the operand's groups of four are contiguous, aligned and whole. */
  readonly aligned: readonly boolean[]
  /** What box.wgsl is compiled with. */
  readonly defines: Defines
  /** The fields of Params that box.wgsl reads. */
  readonly uniforms: Uniforms
  readonly workgroups: number
}

/** Axes that box.wgsl can walk, once merged. */
const maxAxes = 6

/** A box: shape, and per operand its strides and where it begins. */
interface Box {
  readonly shape: Shape
  readonly starts: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/** Drops axes of size 1 and merges neighbours that every operand walks as one. */
export function mergeAxes(shape: Shape, strides: readonly (readonly number[])[]): Pick<Box, 'shape' | 'strides'> {
  const sizes: number[] = []
  const lists = strides.map((): number[] => [])
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = sizes.length - 1
    const joins = last >= 0 && strides.every((list, k) => lists[k][last] === size * list[axis])
    if (joins) sizes[last] *= size
    else sizes.push(size)
    lists.forEach((list, k) => (list[sizes.length - 1] = strides[k][axis]))
  })
  if (sizes.length === 0) {
    sizes.push(1)
    for (const list of lists) list.push(0)
  }
  return { shape: sizes, strides: lists }
}

// Elements from the first to the last that an operand touches, and how far before its start the first one lies.
function reach(shape: Shape, strides: readonly number[]): { span: number; before: number } {
  let span = 1
  let before = 0
  shape.forEach((size, axis) => {
    span += (size - 1) * Math.abs(strides[axis])
    before += (size - 1) * Math.max(0, -strides[axis])
  })
  return { span, before }
}

/** Cuts a box along the axis of the largest span until operand k spans at most `limits[k]` elements, for every k. */
function splitBox(box: Box, limits: readonly number[]): Box[] {
  const { shape, starts, strides } = box
  const tooLong = strides.findIndex((list, k) => reach(shape, list).span > limits[k])
  if (tooLong < 0) return [box]
  const spans = shape.map((size, axis) => (size - 1) * Math.abs(strides[tooLong][axis]))
  const axis = spans.indexOf(Math.max(...spans))
  const half = Math.ceil(shape[axis] / 2)
  const size = half > 4 ? Math.ceil(half / 4) * 4 : half // groups of four stay whole
  const resized = (n: number): Shape => shape.with(axis, n)
  return [
    ...splitBox({ shape: resized(size), starts, strides }, limits),
    ...splitBox(
      {
        shape: resized(shape[axis] - size),
        starts: starts.map((start, k) => start + size * strides[k][axis]),
        strides,
      },
      limits,
    ),
  ]
}

/**
 * Dispatches that walk `shape` with an output and up to three operands, none of them empty. With `turning`, the one
 * operand may be taken in blocks of four by four (see box.wgsl). Throws a ShapeError when the axes do not merge to six.
 */
export function boxLaunches(
  where: string,
  shape: Shape,
  operands: readonly Strided[],
  facts: AdapterFacts,
  turning = false,
): BoxLaunch[] {
  const merged = mergeAxes(
    shape,
    operands.map(({ strides }) => strides),
  )
  if (merged.shape.length > maxAxes)
    throw new ShapeError({
      where,
      what: 'too many axes that do not merge',
      expected: `at most ${maxAxes}`,
      got: showShape(merged.shape),
    })
  const limits = operands.map(({ tensor }) => windowElements(tensor.dtype, facts))
  const starts = operands.map(({ start }) => start)
  return splitBox({ ...merged, starts }, limits).map(box => launchBox(box, operands, facts, turning))
}

/** A stride as a u32: to add a negative one the sum wraps around. */
function wrapped(stride: number): number {
  return stride < 0 ? stride + 2 ** 32 : stride
}

/**
 * The axis along which the operand is contiguous where the output is so along the innermost one, if blocks of four by
 * four are whole and aligned in both; else -1.
 */
function turnedAxis(shape: Shape, strides: readonly (readonly number[])[], bases: readonly number[]): number {
  const inner = shape.length - 1
  const [out, x] = strides
  const axis = x?.findIndex((stride, i) => stride === 1 && i !== inner) ?? -1
  const others = strides.flatMap((list, k) => list.filter((_, i) => i !== (k === 0 ? inner : axis)))
  const whole = [shape[inner], shape[axis], ...bases, ...others].every(n => n % 4 === 0)
  return axis >= 0 && out[inner] === 1 && whole ? axis : -1
}

function launchBox(box: Box, operands: readonly Strided[], facts: AdapterFacts, turning: boolean): BoxLaunch {
  const placed = operands.map(({ tensor }, k) => {
    const { span, before } = reach(box.shape, box.strides[k])
    const { window, base } = windowOf(tensor, box.starts[k] - before, span, facts)
    return { window, base: base + before }
  })
  const bases = placed.map(({ base }) => base)
  const turned = turning ? turnedAxis(box.shape, box.strides, bases) : -1
  const shape = turned < 0 ? box.shape : box.shape.with(turned, box.shape[turned] / 4)
  const strides = turned < 0 ? box.strides : box.strides.map(list => list.with(turned, 4 * list[turned]))
  const inner = shape.length - 1
  const columns = shape[inner]
  const stream = streamOf(facts)
  const groupsPerRow = Math.ceil(columns / 4)
  const each = turned < 0 && groupsPerRow >= stream.each ? stream.each : 1
  const runsPerRow = Math.ceil(groupsPerRow / each)
  const runs = shape.slice(0, inner).reduce((rows, n) => rows * n, runsPerRow)
  const outer = shape.slice(0, inner).reverse()
  const four = (values: readonly number[]) => [...values, 0, 0, 0, 0].slice(0, 4)
  return {
    windows: placed.map(({ window }) => window),
    aligned: bases.map(
      (base, k) => strides[k][inner] === 1 && [columns, base, ...strides[k].slice(0, inner)].every(n => n % 4 === 0),
    ),
    defines: {
      EACH: each,
      AXES: inner,
      DIVIDED: Math.max(0, inner - 1),
      TURNED: turned >= 0,
      WORKGROUP: stream.workgroup,
    },
    uniforms: {
      runs,
      runs_per_row: runsPerRow,
      columns,
      sizes: outer,
      strides: outer.flatMap((_, i) => four(strides.map(list => wrapped(list[inner - 1 - i])))),
      steps: strides.map(list => wrapped(list[inner])),
      bases,
      ...(turning && { turn: turned < 0 ? 0 : box.strides[0][turned] }),
    },
    workgroups: Math.ceil(runs / stream.workgroup),
  }
}
