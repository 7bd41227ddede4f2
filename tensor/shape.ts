// Shapes: sizes, strides, broadcasting. A shape is a readonly list of non-negative integers, outermost first.

import { ShapeError } from './errors.js'

export type Shape = readonly number[]

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1)
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** Whether all sizes are whole numbers from 0. */
export function isShape(shape: Shape): boolean {
  return shape.every(n => Number.isSafeInteger(n) && n >= 0)
}

/** Throws a ShapeError for sizes that are no whole numbers from 0. */
export function assertShape(where: string, shape: Shape): void {
  if (!isShape(shape))
    throw new ShapeError({ where, what: 'bad shape', expected: 'whole numbers from 0', got: showShape(shape) })
}

/** Whether both have the same sizes on the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis])
}

/** `[2, 3]`, for messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** An axis counted from the end when negative; throws a ShapeError when out of range. */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(normal) || normal < 0 || normal >= rank)
    throw new ShapeError({ where, what: 'axis out of range', expected: `-${rank}..${rank - 1}`, got: String(axis) })
  return normal
}

/** The common shape of operands under numpy's broadcasting rule; throws a ShapeError when there is none. */
export function broadcastShapes(where: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map(shape => shape.length))
  const out = new Array<number>(rank).fill(1)
  for (const shape of shapes)
    shape.forEach((n, i) => {
      const axis = rank - shape.length + i
      if (n === 1 || n === out[axis]) return
      if (out[axis] !== 1)
        throw new ShapeError({
          where,
          what: 'shapes do not broadcast',
          expected: 'equal sizes or 1 on every axis',
          got: shapes.map(showShape).join(' and '),
        })
      out[axis] = n
    })
  return out
}

/** Strides of `shape` seen as `target` (to which it broadcasts): 0 on every axis that is repeated. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape)
  const lead = target.length - shape.length
  return target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : strides[axis - lead]))
}
