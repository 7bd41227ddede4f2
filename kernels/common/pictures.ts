// Pictures [B, H, W, C] reckoned from pictures, cut into parts whose windows fit their bindings: runs of whole
// pictures, else rows of one picture together with the rows of the input that they see.

import { KernelError, sizeOf, type StoredTensor, type TensorSpec } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { windowElements, windowOf, type Window } from '../../tensor/webgpu/launch.js'
import { runsOf, whole, type Rows } from './rows.js'

/** A part of the output, and what it sees of the input. Several pictures are always whole. */
export interface PicturePart {
  readonly pictures: Rows
  /** Rows of the output. */
  readonly rows: Rows
  /** Rows of the input. */
  readonly seen: Rows
}

const rowOf = ({ shape }: TensorSpec) => shape[2] * shape[3]

/**
 * Parts of `out` that together make all of it; `seenOf` tells which rows of x (one at least) a run of output rows sees.
 * Throws a KernelError when what a single row wants does not fit.
 */
export function pictureParts(
  where: string,
  x: TensorSpec,
  out: TensorSpec,
  seenOf: (rows: Rows) => Rows,
  facts: AdapterFacts,
): PicturePart[] {
  const [batch, height] = x.shape
  const rows = whole(out.shape[1])
  const perBinding = (spec: TensorSpec) => Math.floor(windowElements(spec.dtype, facts) / sizeOf(spec.shape.slice(1)))
  const together = Math.min(perBinding(x), perBinding(out))
  if (together > 0) return runsOf(batch, together).map(pictures => ({ pictures, rows, seen: whole(height) }))

  const fits = (spec: TensorSpec, { count }: Rows) => count * rowOf(spec) <= windowElements(spec.dtype, facts)
  const cut = (rows: Rows): Omit<PicturePart, 'pictures'>[] => {
    const seen = seenOf(rows)
    if (fits(x, seen) && fits(out, rows)) return [{ rows, seen }]
    if (rows.count === 1)
      throw new KernelError({
        where,
        what: 'one row is larger than a binding may be',
        expected: `at most ${facts.limits.maxStorageBufferBindingSize} bytes`,
        got: `${seen.count} rows of ${rowOf(x)} ${x.dtype} for one of ${rowOf(out)} ${out.dtype}`,
        hint: 'narrower tiles',
      })
    const half = Math.ceil(rows.count / 2)
    return [...cut({ start: rows.start, count: half }), ...cut({ start: rows.start + half, count: rows.count - half })]
  }
  const parts = cut(rows)
  return runsOf(batch, 1).flatMap(pictures => parts.map(part => ({ pictures, ...part })))
}

/** The window on rows of pictures. */
export function pictureWindow(
  tensor: StoredTensor,
  pictures: Rows,
  rows: Rows,
  facts: AdapterFacts,
): { window: Window; base: number } {
  const row = rowOf(tensor)
  const start = (pictures.start * tensor.shape[1] + rows.start) * row
  return windowOf(tensor, start, pictures.count * rows.count * row, facts)
}
