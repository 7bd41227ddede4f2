// One small case or more for every operation, for selfcheck.ts. Sizes are odd on purpose: edges are where kernels
// break.

import { execute, type DType, type Shape, type Tensor } from '../tensor/index.js'
import {
  accumulate,
  adamwStep,
  add,
  affine,
  argmax,
  attention,
  avgPool2d,
  cast,
  cat,
  clamp,
  conv2d,
  conv3d,
  convTranspose2d,
  cumsum,
  differentiate,
  embedding,
  expand,
  gather,
  gelu,
  groupNorm,
  kinematics,
  kinematicsGradientOp,
  layerNorm,
  linear,
  matmul,
  mix,
  mul,
  pad,
  permute,
  raster,
  resize,
  rotary,
  scatterAdd,
  sin,
  slice,
  softmax,
  sort,
  square,
  sum,
  variance,
  where,
} from './operations.js'

/** Makes operands: the same numbers on every runtime. */
export interface SelfCheckOperands {
  /** Standard normal numbers. */
  normal(shape: Shape, dtype?: DType): Tensor
  /** Integers in 0..below-1. */
  integers(shape: Shape, below: number): Tensor
}

/** A computation whose results are compared between two runtimes. */
export interface SelfCheckCase {
  /** Name of the operation that it is about. */
  readonly op: string
  /** What is special about it. */
  readonly about: string
  /** Largest relative error; 0 where nothing is computed. */
  readonly tolerance: number
  /** All outputs of the operation. */
  run(operands: SelfCheckOperands): Tensor | readonly Tensor[]
}

const arithmetic = 1e-5

/** The gradients of the sum of a result. */
const slopesOf = (leaves: readonly Tensor[], f: () => Tensor): Tensor[] =>
  differentiate(leaves, () => sum(f())).gradients.map(gradient => gradient!)

export const selfCheckCases: readonly SelfCheckCase[] = [
  {
    op: 'accumulate',
    about: 'f16 to a sum in place',
    tolerance: arithmetic,
    run: o => {
      const sum = o.normal([37])
      accumulate(sum, o.normal([37], 'f16'), o.normal([2]))
      return sum
    },
  },
  {
    op: 'adamw',
    about: 'a scaled gradient',
    tolerance: arithmetic,
    run: o => {
      const state = { parameter: o.normal([5, 7]), mean: o.normal([5, 7]), square: square(o.normal([5, 7])) }
      const inputs = { gradient: o.normal([5, 7]), rates: square(o.normal([3])), scale: o.normal([1]) }
      adamwStep(state, inputs, { beta1: 0.9, beta2: 0.99, eps: 1e-2, weightDecay: 0.1 })
      return Object.values(state)
    },
  },
  { op: 'arg', about: 'argmax', tolerance: 0, run: o => argmax(o.normal([5, 37]), 0) },
  {
    op: 'attention',
    about: '2 heads over 67 keys',
    tolerance: arithmetic,
    run: o => attention(o.normal([2, 35, 32]), o.normal([2, 67, 32]), o.normal([2, 67, 32]), { heads: 2 }),
  },
  {
    op: 'attention',
    about: 'along the second of three axes',
    tolerance: arithmetic,
    run: o => attention(o.normal([1, 5, 9, 16]), o.normal([1, 5, 9, 16]), o.normal([1, 5, 9, 16]), { heads: 2 }),
  },
  { op: 'binary', about: 'sum, broadcast', tolerance: 0, run: o => add(o.normal([3, 5, 7]), o.normal([5, 1])) },
  { op: 'cast', about: 'f32 to f16', tolerance: 0, run: o => cast(o.normal([33]), 'f16') },
  { op: 'cat', about: 'middle axis', tolerance: 0, run: o => cat([o.normal([2, 3, 5]), o.normal([2, 4, 5])], 1) },
  {
    op: 'conv',
    about: 'picture, 3x3, f16 weights, stride 2',
    tolerance: arithmetic,
    run: o => conv2d(o.normal([2, 7, 9, 20]), o.normal([19, 3, 3, 20], 'f16'), { padding: 1, stride: 2 }),
  },
  {
    op: 'conv',
    about: 'video, 3 frames, SiLU',
    tolerance: arithmetic,
    run: o =>
      conv3d(o.normal([1, 4, 3, 5, 12]), o.normal([16, 3, 1, 1, 12]), { padding: [1, 0, 0], activation: 'silu' }),
  },
  {
    op: 'convTranspose',
    about: 'stride 2',
    tolerance: arithmetic,
    run: o => convTranspose2d(o.normal([1, 3, 5, 7]), o.normal([6, 4, 4, 7]), { stride: 2, padding: 1 }),
  },
  { op: 'cumsum', about: 'last axis', tolerance: arithmetic, run: o => cumsum(o.normal([3, 41])) },
  { op: 'expand', about: 'first axis', tolerance: 0, run: o => expand(o.normal([1, 3, 5]), [4, 3, 5]) },
  { op: 'gather', about: 'last axis', tolerance: 0, run: o => gather(o.normal([3, 9]), 1, o.integers([3, 5], 9)) },
  {
    op: 'gather',
    about: 'rows of an f16 table',
    tolerance: 0,
    run: o => embedding(o.normal([11, 6], 'f16'), o.integers([9], 11)),
  },
  {
    op: 'groupNorm',
    about: 'video, SiLU',
    tolerance: arithmetic,
    run: o =>
      groupNorm(o.normal([2, 3, 5, 7, 64]), o.normal([64]), o.normal([64]), {
        groups: 32,
        eps: 1e-5,
        activation: 'silu',
      }),
  },
  {
    op: 'groupNorm gradient',
    about: 'of 3 groups',
    tolerance: arithmetic,
    run: o => {
      const [x, weight, bias] = [o.normal([2, 37, 18]), o.normal([18]), o.normal([18])]
      const up = o.normal([2, 37, 18])
      return slopesOf([x, weight, bias], () => mul(groupNorm(x, weight, bias, { groups: 3, eps: 1e-5 }), up))
    },
  },
  {
    op: 'kinematics',
    about: 'bodies of one build',
    tolerance: arithmetic,
    run: o => {
      const [rotations, rest] = [o.normal([3, 7, 3, 3]), o.normal([1, 7, 3])]
      const { turned, positions } = kinematics(rotations, rest, o.integers([7], 1))
      return [turned, positions]
    },
  },
  {
    op: 'kinematics gradient',
    about: 'a body of its own each',
    tolerance: arithmetic,
    run: o => {
      const [rotations, rest] = [o.normal([3, 7, 3, 3]), o.normal([3, 7, 3])]
      const { turned, positions } = kinematics(rotations, rest, o.integers([7], 6))
      const operands = {
        rotations,
        rest,
        parents: o.integers([7], 6),
        turned,
        upTurned: turned,
        upPositions: positions,
      }
      return execute(kinematicsGradientOp, operands, undefined)
    },
  },
  {
    op: 'layerNorm',
    about: '65 channels',
    tolerance: arithmetic,
    run: o => layerNorm(o.normal([7, 65]), o.normal([65]), o.normal([65]), { eps: 1e-5 }),
  },
  {
    op: 'layerNorm gradient',
    about: 'several parts of the rows',
    tolerance: arithmetic,
    run: o => {
      const [x, weight, bias] = [o.normal([70, 35]), o.normal([35]), o.normal([35])]
      const up = o.normal([70, 35])
      return slopesOf([x, weight, bias], () => mul(layerNorm(x, weight, bias, { eps: 1e-5 }), up))
    },
  },
  { op: 'matmul', about: 'f32', tolerance: arithmetic, run: o => matmul(o.normal([2, 33, 18]), o.normal([2, 18, 21])) },
  {
    op: 'matmul',
    about: 'f16 weights, GEGLU',
    tolerance: arithmetic,
    run: o => linear(o.normal([35, 40]), o.normal([48, 40], 'f16'), { bias: o.normal([48]), activation: 'geglu' }),
  },
  { op: 'mix', about: 'one weight', tolerance: 1e-6, run: o => mix(o.normal([5, 9]), o.normal([5, 9]), o.normal([1])) },
  {
    op: 'pad',
    about: 'reflected',
    tolerance: 0,
    run: o =>
      pad(
        o.normal([4, 5]),
        [
          [1, 2],
          [3, 0],
        ],
        { mode: 'reflect' },
      ),
  },
  { op: 'permute', about: 'four axes', tolerance: 0, run: o => permute(o.normal([2, 5, 6, 7]), [0, 3, 1, 2]) },
  {
    op: 'pool',
    about: 'means of 3x3',
    tolerance: arithmetic,
    run: o => avgPool2d(o.normal([2, 7, 9, 3]), { kernel: 3, stride: 2, padding: 1 }),
  },
  {
    op: 'raster',
    about: 'triangles that hide each other',
    tolerance: arithmetic,
    run: o => {
      const corners = affine(o.normal([2, 41, 2]), 20, 18)
      const points = cat([corners, affine(square(o.normal([2, 41, 1])), 1, 2)], 2)
      const { triangles, shares, depth } = raster(points, o.integers([50, 3], 41), { height: 35, width: 37 })
      return [triangles, shares, clamp(depth, 0, 100)]
    },
  },
  {
    op: 'reduce',
    about: 'sum of the middle axis',
    tolerance: arithmetic,
    run: o => sum(o.normal([3, 50, 7]), { axes: [1] }),
  },
  {
    op: 'reduce',
    about: 'variance of all',
    tolerance: arithmetic,
    run: o => variance(o.normal([13, 17]), { axes: [0, 1] }),
  },
  {
    op: 'resize',
    about: 'nearest',
    tolerance: 0,
    run: o => resize(o.normal([1, 3, 5, 8]), { size: [6, 10], mode: 'nearest' }),
  },
  {
    op: 'resize',
    about: 'bicubic',
    tolerance: arithmetic,
    run: o => resize(o.normal([1, 9, 7, 3]), { size: [5, 11], mode: 'bicubic', alignCorners: true }),
  },
  {
    op: 'rotary',
    about: 'three heads of 10 channels',
    tolerance: arithmetic,
    run: o => rotary(o.normal([2, 7, 30]), o.normal([7, 5]), o.normal([7, 5])),
  },
  {
    op: 'scatterAdd',
    about: 'first axis',
    tolerance: 1e-6,
    run: o => scatterAdd(o.normal([9, 4]), 0, o.integers([9, 4], 5), 5),
  },
  { op: 'slice', about: 'every second', tolerance: 0, run: o => slice(o.normal([3, 11, 4]), 1, 1, 10, 2) },
  { op: 'softmax', about: '130 wide', tolerance: arithmetic, run: o => softmax(o.normal([5, 130])) },
  { op: 'sort', about: 'last axis', tolerance: 0, run: o => Object.values(sort(o.normal([3, 70]))) },
  { op: 'unary', about: 'gelu', tolerance: arithmetic, run: o => gelu(affine(o.normal([101]), 4, 0)) },
  {
    op: 'unary',
    about: 'sine of large numbers',
    tolerance: arithmetic,
    run: o => sin(affine(o.normal([101]), 1000, 0)),
  },
  {
    op: 'where',
    about: 'condition of zeros and ones',
    tolerance: 0,
    run: o => where(cast(o.integers([4, 9], 2), 'f32'), o.normal([4, 9]), o.normal([9])),
  },
]
