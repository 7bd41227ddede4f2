// Work that only moves data: other orders of axes, larger pictures.

import { permute, resize } from '../../kernels/index.js'
import { stridesOf, type Shape } from '../../tensor/index.js'
import type { Case, SizeClass } from '../case.js'

function permutation(shape: Shape, axes: readonly number[]): Case {
  const target = axes.map(axis => shape[axis])
  const [from, to] = [stridesOf(shape), stridesOf(target)]
  return {
    kernel: 'permute',
    name: `${shape.join(' x ')} by ${axes.join(' ')}`,
    unit: 'GB/s',
    operands: { x: { shape } },
    run: ({ x }) => permute(x, axes),
    check:
      ({ x }) =>
      index =>
        x[axes.reduce((sum, axis, i) => sum + (Math.floor(index / to[i]) % target[i]) * from[axis], 0)],
    tolerance: 0,
    peer: { op: 'permute', axes },
  }
}

function upsample(batch: number, height: number, width: number, channels: number): Case {
  const size: [number, number] = [2 * height, 2 * width]
  return {
    kernel: 'resize',
    name: `nearest 2x, ${batch} x ${height}x${width} x ${channels}`,
    unit: 'GB/s',
    operands: { x: { shape: [batch, height, width, channels] } },
    run: ({ x }) => resize(x, { size, mode: 'nearest' }),
    check:
      ({ x }) =>
      index => {
        const channel = index % channels
        const column = Math.floor(index / channels) % size[1]
        const row = Math.floor(index / channels / size[1]) % size[0]
        const b = Math.floor(index / channels / size[1] / size[0])
        return x[((b * height + (row >> 1)) * width + (column >> 1)) * channels + channel]
      },
    tolerance: 0,
    peer: { op: 'upsample' },
  }
}

export const moveCases: Record<SizeClass, Case[]> = {
  software: [
    permutation([2, 72, 128, 320], [0, 3, 1, 2]),
    permutation([9, 72, 128, 320], [0, 3, 1, 2]),
    upsample(2, 36, 64, 320),
    upsample(9, 36, 64, 320),
  ],
  full: [
    permutation([25, 72, 128, 320], [0, 3, 1, 2]),
    permutation([1, 25, 3, 576, 1024], [0, 1, 3, 4, 2]),
    upsample(25, 36, 64, 640),
    upsample(1, 288, 512, 256),
  ],
}
