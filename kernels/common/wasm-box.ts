// The host side of box.as.ts: how a box of indices is cut into blocks, and the lists that say so.

import type { Shape } from '../../tensor/index.js'
import { mergeAxes } from './boxes.js'

/** Strides of each operand that walks a box, in elements. */
type Strides = readonly (readonly number[])[]

/** A box as kernels get it. */
export interface CutBox {
  readonly box: readonly number[]
  /** Of each operand: of columns, of rows, of the other axes from the innermost out. */
  readonly strides: Strides
  readonly units: number
}

interface Box {
  readonly shape: Shape
  readonly strides: Strides
}

/** Drops axes of size 1, merges those that all operands walk as one, and fills up to two axes. The box is not empty. */
export function mergedBox(shape: Shape, strides: Strides): Box {
  const merged = mergeAxes(shape, strides)
  if (merged.shape.length > 1) return merged
  return { shape: [1, ...merged.shape], strides: merged.strides.map(list => [0, ...list]) }
}

/** Cuts a box of two axes or more into blocks of at most so many rows and columns. */
export function cutBox(shape: Shape, strides: Strides, most: { rows: number; columns: number }): CutBox {
  const [columns, rows, ...others] = shape.toReversed()
  const blockRows = Math.min(rows, most.rows)
  const blockColumns = Math.min(columns, most.columns)
  const outer = others.reduce((product, size) => product * size, 1)
  return {
    box: [rows, columns, blockRows, blockColumns, others.length, ...others],
    strides: strides.map(list => list.toReversed()),
    units: outer * Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns),
  }
}

/** Cuts a box into blocks of about so many elements, of whole rows where they are short. */
export function rowBlocks(shape: Shape, strides: Strides, elements = 4096): CutBox {
  return cutRows(mergedBox(shape, strides), elements)
}

/** The same of a box that is merged. */
export function cutRows(merged: Box, elements = 4096): CutBox {
  const rows = Math.max(1, Math.floor(elements / merged.shape[merged.shape.length - 1]))
  return cutBox(merged.shape, merged.strides, { rows, columns: elements })
}
