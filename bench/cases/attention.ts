// Attention as SVD has it: over the positions of a picture, over the frames at each position; and softmax by itself.

import { attention, softmax } from '../../kernels/index.js'
import type { Case, Expected, HostOperands, SizeClass } from '../case.js'

/** An element of softmax(q k^T / sqrt(width)) v, each given by a look-up of its token and channel. */
function attended(
  tokens: number,
  width: number,
  q: (channel: number) => number,
  k: (token: number, channel: number) => number,
  v: (token: number) => number,
): number {
  const scores = Array.from({ length: tokens }, (_, token) => {
    let sum = 0
    for (let channel = 0; channel < width; channel++) sum += q(channel) * k(token, channel)
    return sum / Math.sqrt(width)
  })
  const most = scores.reduce((a, b) => Math.max(a, b))
  let total = 0
  let sum = 0
  scores.forEach((score, token) => {
    const weight = Math.exp(score - most)
    total += weight
    sum += weight * v(token)
  })
  return sum / total
}

function spatial(batch: number, heads: number, tokens: number, width: number): Case {
  const channels = heads * width
  const shape = [batch, tokens, channels]
  const expected =
    ({ q, k, v }: HostOperands): Expected =>
    index => {
      const channel = index % channels
      const head = channel - (channel % width)
      const b = Math.floor(index / channels / tokens) * tokens * channels
      const row = index - channel + head
      return attended(
        tokens,
        width,
        c => q[row + c],
        (token, c) => k[b + token * channels + head + c],
        token => v[b + token * channels + channel],
      )
    }
  return {
    kernel: 'attention',
    name: `${batch > 1 ? `${batch} x ` : ''}${heads} heads x ${tokens} x ${width}`,
    unit: 'GFLOP/s',
    operands: { q: { shape }, k: { shape }, v: { shape } },
    run: ({ q, k, v }) => attention(q, k, v, { heads }),
    check: expected,
    peer: { op: 'attention', heads },
  }
}

function temporal(frames: number, positions: number, heads: number, width: number): Case {
  const channels = heads * width
  const shape = [1, frames, positions, channels]
  return {
    kernel: 'attention',
    name: `over ${frames} frames at ${positions} positions, ${heads} heads x ${width}`,
    unit: 'GFLOP/s',
    operands: { q: { shape }, k: { shape }, v: { shape } },
    run: ({ q, k, v }) => attention(q, k, v, { heads }),
    check:
      ({ q, k, v }) =>
      index => {
        const channel = index % channels
        const head = channel - (channel % width)
        const position = Math.floor(index / channels) % positions
        const at = (frame: number) => (frame * positions + position) * channels
        const row = index - channel + head
        return attended(
          frames,
          width,
          c => q[row + c],
          (frame, c) => k[at(frame) + head + c],
          frame => v[at(frame) + channel],
        )
      },
  }
}

function rows(count: number, length: number): Case {
  return {
    kernel: 'softmax',
    name: `${count} rows of ${length}`,
    unit: 'GB/s',
    operands: { x: { shape: [count, length] } },
    run: ({ x }) => softmax(x),
    check:
      ({ x }) =>
      index => {
        const start = index - (index % length)
        let sum = 0
        for (let i = 0; i < length; i++) sum += Math.exp(x[start + i])
        return Math.exp(x[index]) / sum
      },
    peer: { op: 'softmax' },
  }
}

export const attentionCases: Record<SizeClass, Case[]> = {
  software: [spatial(1, 8, 1024, 64), temporal(14, 576, 5, 64), rows(2304, 1024)],
  full: [
    spatial(1, 8, 1024, 64),
    spatial(5, 5, 9216, 64),
    spatial(5, 10, 2304, 64),
    spatial(5, 20, 576, 64),
    temporal(25, 9216, 5, 64),
    temporal(25, 576, 20, 64),
    rows(9216, 9216),
  ],
}
