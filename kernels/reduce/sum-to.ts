// The adjoint of broadcasting.

import { sameShape, type Shape, type Tensor } from '../../tensor/index.js'
import { sum } from './reduce.js'

/** x summed over the axes along which `shape` was repeated to become that of x: f32 of `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x.share()
  const lead = x.shape.length - shape.length
  const axes = x.shape.flatMap((n, axis) => (axis < lead || (shape[axis - lead] === 1 && n !== 1) ? [axis] : []))
  if (axes.every(axis => x.shape[axis] === 1)) return x.reshape(shape)
  using total = sum(x, { axes })
  return total.reshape(shape)
}
