// Layouts: torch keeps channels second, this house keeps them last. Host-side permutes for tests and golden files.

import { sizeOf, stridesOf, type Shape } from '../../tensor/index.js'

/** Elements and their shape, on the host. */
export interface HostElements {
  data: Float32Array
  shape: Shape
}

/** The elements with their axes in another order, as torch's permute. */
export function permuted(data: ArrayLike<number>, shape: Shape, axes: readonly number[]): HostElements {
  const target = axes.map(axis => shape[axis])
  const strides = axes.map(axis => stridesOf(shape)[axis])
  const out = new Float32Array(sizeOf(target))
  const index = target.map(() => 0)
  let from = 0
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from]
    for (let axis = target.length - 1; axis >= 0; axis--) {
      from += strides[axis]
      if (++index[axis] < target[axis]) break
      from -= strides[axis] * target[axis]
      index[axis] = 0
    }
  }
  return { data: out, shape: target }
}

/** [B, C, ...] to [B, ..., C]; a convolution's weight [O, I, ...] to [O, ..., I]. */
export function channelsLast(data: ArrayLike<number>, shape: Shape): HostElements {
  const middle = shape.slice(2).map((_, i) => i + 2)
  return permuted(data, shape, [0, ...middle, 1])
}

/** [B, ..., C] to [B, C, ...]. */
export function channelsFirst(data: ArrayLike<number>, shape: Shape): HostElements {
  const middle = shape.slice(1, -1).map((_, i) => i + 1)
  return permuted(data, shape, [0, shape.length - 1, ...middle])
}
