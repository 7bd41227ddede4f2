// Matrix products of SVD: projections, feed-forward layers, and one square product that everybody knows.

import { linear, matmul } from '../../kernels/index.js'
import { activations } from '../../kernels/common/activations.js'
import type { DType } from '../../tensor/index.js'
import type { Case, HostOperands, SizeClass } from '../case.js'

const show = (...sizes: number[]) => sizes.join(' x ')

/** An element of a [M,K] b, where b is [K,N] or, transposed, [N,K]. */
const element =
  (k: number, n: number, transposed: boolean) =>
  ({ a, b }: HostOperands, row: number, column: number) => {
    const [start, step] = transposed ? [column * k, 1] : [column, n]
    let sum = 0
    for (let i = 0; i < k; i++) sum += a[row * k + i] * b[start + i * step]
    return sum
  }

function square(n: number): Case {
  const product = element(n, n, false)
  return {
    kernel: 'matmul',
    name: show(n, n, n),
    unit: 'GFLOP/s',
    operands: { a: { shape: [n, n] }, b: { shape: [n, n] } },
    run: ({ a, b }) => matmul(a, b),
    check: host => index => product(host, Math.floor(index / n), index % n),
    peer: { op: 'matmul', transposeB: false },
  }
}

function layer(m: number, k: number, n: number, dtype: DType = 'f32'): Case {
  const product = element(k, n, true)
  return {
    kernel: 'matmul',
    name: `linear ${show(m, k, n)} ${dtype}`,
    unit: 'GFLOP/s',
    operands: { a: { shape: [m, k] }, b: { shape: [n, k], dtype, scale: k ** -0.5 } },
    run: ({ a, b }) => linear(a, b),
    check: host => index => product(host, Math.floor(index / n), index % n),
    peer: { op: 'matmul', transposeB: true },
  }
}

function geglu(m: number, k: number, hidden: number, dtype: DType = 'f32'): Case {
  const product = element(k, 2 * hidden, true)
  return {
    kernel: 'matmul',
    name: `geglu ${show(m, k, 2 * hidden)} ${dtype}`,
    unit: 'GFLOP/s',
    operands: { a: { shape: [m, k] }, b: { shape: [2 * hidden, k], dtype, scale: k ** -0.5 } },
    run: ({ a, b }) => linear(a, b, { activation: 'geglu' }),
    check: host => index => {
      const [row, column] = [Math.floor(index / hidden), index % hidden]
      return product(host, row, column) * activations.gelu(product(host, row, hidden + column))
    },
  }
}

export const matmulCases: Record<SizeClass, Case[]> = {
  software: [square(1024), layer(2304, 320, 1280), geglu(2304, 320, 1280)],
  full: [
    square(4096),
    layer(46080, 320, 320),
    layer(46080, 320, 320, 'f16'),
    layer(11520, 2560, 640, 'f16'),
    layer(2880, 1280, 1280, 'f16'),
    geglu(46080, 320, 1280, 'f16'),
    geglu(2880, 1280, 5120, 'f16'),
  ],
}
