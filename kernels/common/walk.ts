// Walking a shape element by element, for plain loops.

import { sizeOf, type Shape } from '../../tensor/index.js'

/** Calls `visit` for every element in row-major order, with its index along each axis (reused between calls). */
export function walk(shape: Shape, visit: (index: readonly number[], i: number) => void): void {
  const size = sizeOf(shape)
  const index = shape.map(() => 0)
  for (let i = 0; i < size; i++) {
    visit(index, i)
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0
  }
}

/** Where an index lies under the given strides. */
export function offsetOf(index: readonly number[], strides: readonly number[]): number {
  let offset = 0
  for (let axis = 0; axis < index.length; axis++) offset += index[axis] * strides[axis]
  return offset
}
