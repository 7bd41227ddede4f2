// Normalisations: groups of channels over pictures and videos, and rows of channels.

import { groupNorm, layerNorm } from '../../kernels/index.js'
import { sizeOf, type Shape } from '../../tensor/index.js'
import type { Case, SizeClass } from '../case.js'

/** Mean and 1 / sqrt(variance + eps) of the values at the given places. */
function moments(x: Float32Array, eps: number, places: () => Iterable<number>): { mean: number; scale: number } {
  let count = 0
  let sum = 0
  for (const place of places()) {
    count++
    sum += x[place]
  }
  const mean = sum / count
  let squares = 0
  for (const place of places()) squares += (x[place] - mean) ** 2
  return { mean, scale: 1 / Math.sqrt(squares / count + eps) }
}

function groups(shape: Shape): Case {
  const channels = shape[shape.length - 1]
  const rows = sizeOf(shape.slice(1, -1))
  const count = 32
  const width = channels / count
  const eps = 1e-5
  return {
    kernel: 'group_norm',
    name: `${count} groups, ${shape.join(' x ')}`,
    unit: 'GB/s',
    operands: { x: { shape }, weight: { shape: [channels] }, bias: { shape: [channels] } },
    run: ({ x, weight, bias }) => groupNorm(x, weight, bias, { groups: count, eps }),
    check: ({ x, weight, bias }) => {
      const known = new Map<number, ReturnType<typeof moments>>()
      return index => {
        const channel = index % channels
        const batch = Math.floor(index / channels / rows)
        const start = batch * rows * channels + channel - (channel % width)
        const places = function* () {
          for (let row = 0; row < rows; row++) for (let c = 0; c < width; c++) yield start + row * channels + c
        }
        const found = known.get(start) ?? moments(x, eps, places)
        known.set(start, found)
        return (x[index] - found.mean) * found.scale * weight[channel] + bias[channel]
      }
    },
    peer: shape.length === 4 ? { op: 'group_norm', groups: count, eps } : undefined,
  }
}

function layers(rows: number, channels: number): Case {
  const eps = 1e-5
  return {
    kernel: 'layer_norm',
    name: `${rows} rows of ${channels}`,
    unit: 'GB/s',
    operands: { x: { shape: [rows, channels] }, weight: { shape: [channels] }, bias: { shape: [channels] } },
    run: ({ x, weight, bias }) => layerNorm(x, weight, bias, { eps }),
    check:
      ({ x, weight, bias }) =>
      index => {
        const channel = index % channels
        const places = function* () {
          for (let c = 0; c < channels; c++) yield index - channel + c
        }
        const { mean, scale } = moments(x, eps, places)
        return (x[index] - mean) * scale * weight[channel] + bias[channel]
      },
    peer: { op: 'layer_norm', eps },
  }
}

export const normCases: Record<SizeClass, Case[]> = {
  software: [groups([2, 72, 128, 320]), layers(9216, 320)],
  full: [
    groups([2, 72, 128, 320]),
    groups([25, 72, 128, 320]),
    groups([1, 25, 72, 128, 320]),
    groups([1, 576, 1024, 128]),
    layers(46080, 320),
    layers(11520, 640),
    layers(2880, 1280),
  ],
}
