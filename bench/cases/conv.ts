// Convolutions of SVD's residual blocks: over pictures, and over frames.

import { conv2d, conv3d } from '../../kernels/index.js'
import type { DType } from '../../tensor/index.js'
import type { Case, HostOperands, SizeClass } from '../case.js'

interface Size {
  batch: number
  height: number
  width: number
  channels: number
  out: number
  kernel?: number
  stride?: number
  dtype?: DType
}

function pictures({ batch, height, width, channels, out, kernel = 3, stride = 1, dtype = 'f32' }: Size): Case {
  const padding = (kernel - 1) / 2
  const [outHeight, outWidth] = [height, width].map(n => Math.floor((n - 1) / stride) + 1)
  const expected =
    ({ x, weight, bias }: HostOperands) =>
    (index: number) => {
      const o = index % out
      const column = Math.floor(index / out) % outWidth
      const row = Math.floor(index / out / outWidth) % outHeight
      const b = Math.floor(index / out / outWidth / outHeight)
      let sum = bias[o]
      for (let i = 0; i < kernel; i++)
        for (let j = 0; j < kernel; j++) {
          const [y, z] = [row * stride + i - padding, column * stride + j - padding]
          if (y < 0 || y >= height || z < 0 || z >= width) continue
          const from = ((b * height + y) * width + z) * channels
          const tap = ((o * kernel + i) * kernel + j) * channels
          for (let c = 0; c < channels; c++) sum += x[from + c] * weight[tap + c]
        }
      return sum
    }
  return {
    kernel: 'conv2d',
    name: `${kernel}x${kernel}${stride > 1 ? `/${stride}` : ''} ${channels}->${out} at ${batch} x ${height}x${width} ${dtype}`,
    unit: 'GFLOP/s',
    operands: {
      x: { shape: [batch, height, width, channels] },
      weight: { shape: [out, kernel, kernel, channels], dtype, scale: (kernel * kernel * channels) ** -0.5 },
      bias: { shape: [out] },
    },
    run: ({ x, weight, bias }) => conv2d(x, weight, { bias, padding, stride }),
    check: expected,
    peer: { op: 'conv2d', padding, stride },
  }
}

function temporal(frames: number, height: number, width: number, channels: number, dtype: DType = 'f32'): Case {
  const pixels = height * width
  return {
    kernel: 'conv3d',
    name: `3x1x1 ${channels}->${channels} at ${frames} x ${height}x${width} ${dtype}`,
    unit: 'GFLOP/s',
    operands: {
      x: { shape: [1, frames, height, width, channels] },
      weight: { shape: [channels, 3, 1, 1, channels], dtype, scale: (3 * channels) ** -0.5 },
      bias: { shape: [channels] },
    },
    run: ({ x, weight, bias }) => conv3d(x, weight, { bias, padding: [1, 0, 0] }),
    check:
      ({ x, weight, bias }) =>
      index => {
        const o = index % channels
        const pixel = Math.floor(index / channels) % pixels
        const frame = Math.floor(index / channels / pixels)
        let sum = bias[o]
        for (let tap = 0; tap < 3; tap++) {
          const other = frame + tap - 1
          if (other < 0 || other >= frames) continue
          const from = (other * pixels + pixel) * channels
          for (let c = 0; c < channels; c++) sum += x[from + c] * weight[(o * 3 + tap) * channels + c]
        }
        return sum
      },
  }
}

export const convCases: Record<SizeClass, Case[]> = {
  software: [
    pictures({ batch: 1, height: 36, width: 64, channels: 320, out: 320 }),
    pictures({ batch: 1, height: 72, width: 128, channels: 320, out: 320, stride: 2 }),
    temporal(4, 18, 32, 320),
  ],
  full: [
    pictures({ batch: 5, height: 72, width: 128, channels: 320, out: 320 }),
    pictures({ batch: 5, height: 72, width: 128, channels: 320, out: 320, dtype: 'f16' }),
    pictures({ batch: 5, height: 36, width: 64, channels: 640, out: 640, dtype: 'f16' }),
    pictures({ batch: 5, height: 18, width: 32, channels: 1280, out: 1280, dtype: 'f16' }),
    pictures({ batch: 5, height: 72, width: 128, channels: 320, out: 320, stride: 2, dtype: 'f16' }),
    pictures({ batch: 1, height: 576, width: 1024, channels: 128, out: 128, dtype: 'f16' }),
    temporal(25, 72, 128, 320, 'f16'),
    temporal(25, 18, 32, 1280, 'f16'),
  ],
}
