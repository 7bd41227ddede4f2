// Reductions over any axes: sum, mean, maximum, minimum, variance. They take f32, f16 or bf16; each throws a ShapeError
// for other dtypes and for axes that do not fit.

import {
  execute,
  normalizeAxis,
  ShapeError,
  showShape,
  sizeOf,
  type Op,
  type Shape,
  type Tensor,
} from '../../tensor/index.js'
import { assertFloat } from '../common/operand.js'

export interface ReduceOperands {
  x: unknown
}

export interface ReduceParams {
  readonly kind: 'sum' | 'mean' | 'max' | 'min' | 'variance'
  /** Axes that go, each from 0 to the number of axes less one. */
  readonly axes: readonly number[]
  /** Reduced axes stay, with size 1. */
  readonly keepDims: boolean
}

/** A run of neighbouring axes that go together, or stay together. */
export interface Run {
  readonly size: number
  readonly reduced: boolean
}

/** A shape with neighbouring axes of the same kind made one: kept and reduced runs in turn, outermost first. */
export function axisRuns(x: Shape, { axes }: Pick<ReduceParams, 'axes'>): Run[] {
  const runs: Run[] = []
  x.forEach((size, axis) => {
    const reduced = axes.includes(axis)
    const last = runs[runs.length - 1] as Run | undefined
    if (last?.reduced === reduced) runs.push({ size: size * (runs.pop() as Run).size, reduced })
    else runs.push({ size, reduced })
  })
  return runs
}

/** Number of elements that make one element of the result. */
export function reducedCount(x: Shape, { axes }: Pick<ReduceParams, 'axes'>): number {
  return sizeOf(axes.map(axis => x[axis]))
}

// Kernels count with up to four kept and four reduced runs.
const mostAxes = 8

export const reduceOp: Op<ReduceOperands, ReduceParams> = {
  name: 'reduce',

  infer({ x }, params) {
    const { kind, axes, keepDims } = params
    assertFloat(kind, 'x', x)
    if (x.shape.length > mostAxes)
      throw new ShapeError({
        where: kind,
        what: 'x has too many axes',
        expected: `at most ${mostAxes}`,
        got: showShape(x.shape),
      })
    if (axes.some((axis, i) => !(axis in x.shape) || axes.indexOf(axis) !== i))
      throw new ShapeError({
        where: kind,
        what: 'axes do not fit',
        expected: `different axes of ${showShape(x.shape)}`,
        got: showShape(axes),
      })
    if ((kind === 'max' || kind === 'min') && reducedCount(x.shape, params) === 0)
      throw new ShapeError({ where: kind, what: 'nothing to choose from', got: showShape(x.shape) })
    const shape = keepDims
      ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
      : x.shape.filter((_, axis) => !axes.includes(axis))
    return [{ shape, dtype: 'f32' }]
  },

  flops: ({ x }, _outputs, { kind }) => (kind === 'variance' ? 5 : 1) * sizeOf(x.shape),
}

export interface ReduceOptions {
  /** Axes to reduce, from the end when negative; all when absent. */
  axes?: readonly number[]
  /** Keep reduced axes with size 1. */
  keepDims?: boolean
}

/** The sum over `axes`, f32; 0 where there is nothing to add. */
export function sum(x: Tensor, options?: ReduceOptions): Tensor {
  return reduce('sum', x, options)
}

/** The mean over `axes`, f32; NaN where there is nothing to average. */
export function mean(x: Tensor, options?: ReduceOptions): Tensor {
  return reduce('mean', x, options)
}

/** The largest element over `axes`, f32; NaN where there is one. Throws a ShapeError where there is nothing. */
export function max(x: Tensor, options?: ReduceOptions): Tensor {
  return reduce('max', x, options)
}

/** The smallest element over `axes`, f32; NaN where there is one. Throws a ShapeError where there is nothing. */
export function min(x: Tensor, options?: ReduceOptions): Tensor {
  return reduce('min', x, options)
}

/** The mean of squared deviations from the mean over `axes` (the biased variance), f32. */
export function variance(x: Tensor, options?: ReduceOptions): Tensor {
  return reduce('variance', x, options)
}

function reduce(kind: ReduceParams['kind'], x: Tensor, { axes, keepDims = false }: ReduceOptions = {}): Tensor {
  const normal = (axes ?? x.shape.map((_, axis) => axis)).map(axis => normalizeAxis(kind, axis, x.shape.length))
  return execute(reduceOp, { x }, { kind, axes: normal, keepDims })[0]
}
