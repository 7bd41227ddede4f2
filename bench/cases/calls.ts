// A call of every operation at any size, for calls.ts.

import * as ops from '../../kernels/index.js'
import { execute, Generator, sizeOf, Tensor, type Runtime } from '../../tensor/index.js'

/** n rows, columns, tokens or items; c channels. */
export interface CallSize {
  readonly name: string
  readonly n: number
  readonly c: number
}

/** Makes operands; all that a call works on is made so, for whoever releases it. */
export interface CallOperands {
  normal(...shape: number[]): Tensor
  /** Numbers from `least` to `most`. */
  between(least: number, most: number, ...shape: number[]): Tensor
  /** Integers below a number. */
  integers(below: number, ...shape: number[]): Tensor
}

/** Makes the operands of an operation, and gives what runs it. */
export type Call = (operands: CallOperands, size: CallSize) => () => unknown

const slopes = (leaves: readonly Tensor[], f: () => Tensor) =>
  ops.differentiate(leaves, () => ops.sum(f())).gradients.map(gradient => gradient!)

/** Operands on a runtime, each noted in a list; the same ones every time. */
export function operandsOn(runtime: Runtime, made: Tensor[]): CallOperands {
  const random = new Generator(1)
  const noted = (tensor: Tensor) => {
    made.push(tensor)
    return tensor
  }
  return {
    normal: (...shape) => noted(Tensor.from(runtime, random.randn(sizeOf(shape)), shape)),
    between: (least, most, ...shape) => {
      const numbers = random.rand(sizeOf(shape)).map(share => least + share * (most - least))
      return noted(Tensor.from(runtime, numbers, shape))
    },
    integers: (below, ...shape) => noted(Tensor.from(runtime, random.randint(0, below, sizeOf(shape)), shape, 'i32')),
  }
}

/** Operations by their statements' names. */
export const calls: Readonly<Record<string, Call>> = {
  accumulate: ({ normal }, { n, c }) => {
    const [sum, x, shares] = [normal(n * n * c), normal(n * n * c), normal(2)]
    return () => ops.accumulate(sum, x, shares)
  },
  adamw: ({ normal, between }, { n, c }) => {
    const [parameter, mean, square] = [normal(n * n * c), normal(n * n * c), between(0, 1, n * n * c)]
    const inputs = { gradient: normal(n * n * c), rates: between(0, 1, 3), scale: normal(1) }
    const options = { beta1: 0.9, beta2: 0.99, eps: 1e-2, weightDecay: 0.1 }
    return () => ops.adamwStep({ parameter, mean, square }, inputs, options)
  },
  arg: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.argmax(x, 1)
  },
  attention: ({ normal }, { n, c }) => {
    const x = normal(1, n * n, c)
    return () => ops.attention(x, x, x, { heads: 2 })
  },
  binary: ({ normal }, { n, c }) => {
    const [x, y] = [normal(n * n, c), normal(n * n, c)]
    return () => ops.add(x, y)
  },
  'binary, broadcast': ({ normal }, { n, c }) => {
    const [x, y] = [normal(n * n, c), normal(c)]
    return () => ops.mul(x, y)
  },
  cast: ({ normal }, { n, c }) => {
    const x = normal(n * n * c)
    return () => ops.cast(x, 'f16')
  },
  cat: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.cat([x, x], 1)
  },
  conv: ({ normal }, { n, c }) => {
    const [x, weight, bias] = [normal(1, n, n, c), normal(c, 3, 3, c), normal(c)]
    return () => ops.conv2d(x, weight, { bias, padding: 1 })
  },
  'conv, over time': ({ normal }, { n, c }) => {
    const [x, weight] = [normal(1, n, 1, n, c), normal(c, 3, 1, 1, c)]
    return () => ops.conv3d(x, weight, { padding: [1, 0, 0] })
  },
  'conv, in groups': ({ normal }, { n, c }) => {
    const [x, weight] = [normal(1, n, n, c), normal(c, 3, 3, 1)]
    return () => ops.conv2d(x, weight, { padding: 1, groups: c })
  },
  convTranspose: ({ normal }, { n, c }) => {
    const [x, weight] = [normal(1, n, n, c), normal(c, 4, 4, c)]
    return () => ops.convTranspose2d(x, weight, { stride: 2, padding: 1 })
  },
  cumsum: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.cumsum(x)
  },
  expand: ({ normal }, { n, c }) => {
    const x = normal(1, c)
    return () => ops.expand(x, [n * n, c])
  },
  gather: ({ normal, integers }, { n, c }) => {
    const [table, index] = [normal(n * n, c), integers(n * n, n)]
    return () => ops.embedding(table, index)
  },
  groupNorm: ({ normal }, { n, c }) => {
    const [x, weight, bias] = [normal(1, n, n, c), normal(c), normal(c)]
    return () => ops.groupNorm(x, weight, bias, { groups: 2, eps: 1e-5, activation: 'silu' })
  },
  'groupNorm gradient': ({ normal }, { n, c }) => {
    const [x, weight, bias] = [normal(1, n, n, c), normal(c), normal(c)]
    return () => slopes([x, weight, bias], () => ops.groupNorm(x, weight, bias, { groups: 2, eps: 1e-5 }))
  },
  kinematics: ({ normal, integers }, { n, c }) => {
    const [rotations, rest, parents] = [normal(n * n, c, 3, 3), normal(1, c, 3), integers(1, c)]
    return () => Object.values(ops.kinematics(rotations, rest, parents))
  },
  'kinematics gradient': ({ normal, integers }, { n, c }) => {
    const turned = normal(n * n, c, 3, 3)
    const [rest, positions, parents] = [normal(1, c, 3), normal(n * n, c, 3), integers(1, c)]
    const operands = { rotations: turned, rest, parents, turned, upTurned: turned, upPositions: positions }
    return () => execute(ops.kinematicsGradientOp, operands, undefined)
  },
  layerNorm: ({ normal }, { n, c }) => {
    const [x, weight, bias] = [normal(n * n, c), normal(c), normal(c)]
    return () => ops.layerNorm(x, weight, bias, { eps: 1e-5 })
  },
  'layerNorm gradient': ({ normal }, { n, c }) => {
    const [x, weight, bias] = [normal(n * n, c), normal(c), normal(c)]
    return () => slopes([x, weight, bias], () => ops.layerNorm(x, weight, bias, { eps: 1e-5 }))
  },
  matmul: ({ normal }, { n, c }) => {
    const [x, weight, bias] = [normal(n * n, c), normal(c, c), normal(c)]
    return () => ops.linear(x, weight, { bias })
  },
  mix: ({ normal }, { n, c }) => {
    const [x, y, weight] = [normal(n * n, c), normal(n * n, c), normal(1)]
    return () => ops.mix(x, y, weight)
  },
  pad: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () =>
      ops.pad(x, [
        [1, 1],
        [0, 0],
      ])
  },
  permute: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.permute(x, [1, 0])
  },
  pool: ({ normal }, { n, c }) => {
    const x = normal(1, n, n, c)
    return () => ops.avgPool2d(x, { kernel: 2 })
  },
  raster: ({ between, integers }, { n, c }) => {
    // Corners in the picture, as far away as it is wide.
    const [points, faces] = [between(1, n, 1, 3 * c, 3), integers(3 * c, c, 3)]
    return () => Object.values(ops.raster(points, faces, { height: n, width: n }))
  },
  reduce: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.sum(x, { axes: [0] })
  },
  'reduce, all': ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.variance(x, { axes: [0, 1] })
  },
  resize: ({ normal }, { n, c }) => {
    const x = normal(1, n, n, c)
    return () => ops.resize(x, { size: [2 * n, 2 * n], mode: 'nearest' })
  },
  'resize, bilinear': ({ normal }, { n, c }) => {
    const x = normal(1, n, n, c)
    return () => ops.resize(x, { size: [2 * n, 2 * n], mode: 'bilinear' })
  },
  rotary: ({ normal }, { n, c }) => {
    const [x, cos, sin] = [normal(1, n * n, c), normal(n * n, c / 2), normal(n * n, c / 2)]
    return () => ops.rotary(x, cos, sin)
  },
  scatterAdd: ({ normal, integers }, { n, c }) => {
    const [x, index] = [normal(n * n, c), integers(n, n * n, c)]
    return () => ops.scatterAdd(x, 0, index, n)
  },
  slice: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.slice(x, 1, 0, c / 2)
  },
  softmax: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.softmax(x)
  },
  sort: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => Object.values(ops.sort(x))
  },
  unary: ({ normal }, { n, c }) => {
    const x = normal(n * n, c)
    return () => ops.silu(x)
  },
  where: ({ normal }, { n, c }) => {
    const [x, y, condition] = [normal(n * n, c), normal(n * n, c), normal(n * n, c)]
    return () => ops.where(condition, x, y)
  },
}
