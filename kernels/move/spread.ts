// Zeros around and between the elements of an axis.

import type { Tensor } from '../../tensor/index.js'
import { pad } from './pad.js'

/** x between zeros: `before` and `after` elements of them along one axis. */
export function padAxis(x: Tensor, axis: number, before: number, after: number): Tensor {
  return pad(
    x,
    x.shape.map((_, i) => (i === axis ? [before, after] : [0, 0])),
  )
}

/** x's elements along an axis with `step` - 1 zeros behind each. */
export function spread(x: Tensor, axis: number, step: number): Tensor {
  const cells = x.reshape([...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)])
  return padAxis(cells, axis + 1, 0, step - 1).reshape(x.shape.with(axis, x.shape[axis] * step))
}
