// Repetition along axes of size 1.

import {
  broadcastShapes,
  execute,
  sameShape,
  ShapeError,
  showShape,
  type Op,
  type Shape,
  type Tensor,
} from '../../tensor/index.js'
import { isShape } from '../../tensor/shape.js'

export interface ExpandOperands {
  x: unknown
}

export interface ExpandParams {
  readonly shape: Shape
}

export const expandOp: Op<ExpandOperands, ExpandParams> = {
  name: 'expand',

  infer({ x }, { shape }) {
    if (!isShape(shape) || !sameShape(broadcastShapes('expand', x.shape, shape), shape))
      throw new ShapeError({
        where: 'expand',
        what: 'does not expand to the shape',
        expected: `one to which ${showShape(x.shape)} broadcasts`,
        got: showShape(shape),
      })
    return [{ shape: [...shape], dtype: x.dtype }]
  },

  flops: () => 0,
}

/**
 * x repeated along its axes of size 1, and along new axes in front, to the given shape, as a copy (memory is shared
 * when nothing is repeated). Any dtype. Throws a ShapeError when x does not broadcast to the shape, and
 * on WebGPU a KernelError where elements narrower than 32 bits would have to move singly.
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  const [target] = expandOp.infer({ x }, { shape })
  return sameShape(target.shape, x.shape) ? x.share() : execute(expandOp, { x }, { shape })[0]
}
