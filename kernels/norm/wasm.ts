// Launches the norms. Group norm takes three launches: moments of slices of rows, their merger, the result.

import { sizeOf, type StoredTensor } from '../../tensor/index.js'
import { wasmKernel, type Launch } from '../../tensor/wasm/launch.js'
import { activationNumber, formatNumber } from '../common/wasm-operand.js'
import { groupNormOp, groupNormSizes } from './group-norm.js'
import { layerNormOp } from './layer-norm.js'
import { groupNormGradientOp, layerNormGradientOp, partRows } from './norm-gradient.js'

/** Elements of a slice: read twice, it should stay in a core's cache. */
const sliceElements = 16384

/** How a group norm's rows are cut into slices. */
function slicesOf({ rows, channels, depth }: ReturnType<typeof groupNormSizes>) {
  const sliceRows = Math.min(rows, Math.ceil(sliceElements / channels))
  return { rows, depth, slices: Math.ceil(rows / sliceRows), sliceRows }
}

/** Bytes of three numbers for each channel, padded to fours. */
const channelScratch = (channels: number) => 3 * 4 * (channels + 3)

/** Moments of slices [B, slices, groups, 3], and their merger [B, groups, 3]. */
function momentLaunches(
  x: StoredTensor,
  { moments, statistics }: { moments: StoredTensor; statistics: StoredTensor },
  sizes: ReturnType<typeof groupNormSizes>,
  eps: number,
): Launch[] {
  const { batch, channels } = sizes
  const cuts = slicesOf(sizes)
  const groups = channels / sizes.depth
  return [
    {
      kernel: 'groupNormMoments',
      params: { x, moments, xFormat: formatNumber(x), channels, ...cuts },
      units: batch * cuts.slices,
      scratch: channelScratch(channels),
    },
    { kernel: 'groupNormMerge', params: { moments, statistics, groups, eps, ...cuts }, units: batch * groups },
  ]
}

export const groupNormWasm = wasmKernel(groupNormOp, ({ inputs, outputs: [out], params, scratch }) => {
  const { x, weight, bias } = inputs
  if (sizeOf(x.shape) === 0) return []
  const sizes = groupNormSizes(x.shape, params)
  const { batch, channels } = sizes
  const { groups, eps, activation } = params
  const cuts = slicesOf(sizes)
  const { slices } = cuts
  const moments = scratch([batch, slices, groups, 3], 'f32')
  const statistics = scratch([batch, groups, 3], 'f32')
  return [
    ...momentLaunches(x, { moments, statistics }, sizes, eps),
    {
      kernel: 'groupNormApply',
      params: {
        x,
        weight,
        bias,
        statistics,
        out,
        xFormat: formatNumber(x),
        weightFormat: formatNumber(weight),
        biasFormat: formatNumber(bias),
        activation: activationNumber(activation),
        channels,
        ...cuts,
      },
      units: batch * slices,
      scratch: channelScratch(channels),
    },
  ]
})

export const layerNormWasm = wasmKernel(layerNormOp, ({ inputs: { x, weight, bias }, outputs: [out], params }) => {
  if (sizeOf(x.shape) === 0) return []
  return [
    {
      kernel: 'layerNorm',
      params: {
        x,
        weight,
        bias,
        out,
        xFormat: formatNumber(x),
        weightFormat: formatNumber(weight),
        biasFormat: formatNumber(bias),
        channels: x.shape[x.shape.length - 1],
        eps: params.eps,
      },
      units: sizeOf(x.shape.slice(0, -1)),
    },
  ]
})

export const groupNormGradientWasm = wasmKernel(
  groupNormGradientOp,
  ({ inputs: { x, weight, upstream }, outputs: [out, sums], params: { groups, eps }, scratch }) => {
    const sizes = groupNormSizes(x.shape, { groups })
    const { batch, channels } = sizes
    if (sizeOf(sums.shape) === 0) return []
    const { rows, depth, slices, sliceRows } = slicesOf(sizes)
    const moments = scratch([batch, slices, groups, 3], 'f32')
    const statistics = scratch([batch, groups, 3], 'f32')
    const partial = scratch([batch, slices, 2, channels], 'f32')
    const factors = scratch([batch, 4, channels], 'f32')
    const xFormat = formatNumber(x)
    return [
      ...momentLaunches(x, { moments, statistics }, sizes, eps),
      {
        kernel: 'groupNormGradientSums',
        params: { x, upstream, statistics, partial, xFormat, rows, channels, depth, slices, sliceRows },
        units: batch * slices,
        scratch: channelScratch(channels),
      },
      {
        kernel: 'groupNormGradientMerge',
        params: {
          partial,
          weight,
          statistics,
          sums,
          factors,
          weightFormat: formatNumber(weight),
          rows,
          channels,
          depth,
          slices,
        },
        units: batch * groups,
      },
      {
        kernel: 'groupNormGradientApply',
        params: { x, upstream, factors, out, xFormat, rows, channels, slices, sliceRows },
        units: batch * slices,
      },
    ]
  },
)

export const layerNormGradientWasm = wasmKernel(
  layerNormGradientOp,
  ({ inputs: { x, weight, upstream }, outputs: [out, sums], params: { eps } }) => {
    const [parts, , channels] = sums.shape
    if (sizeOf(sums.shape) === 0) return []
    return [
      {
        kernel: 'layerNormGradient',
        params: {
          x,
          weight,
          upstream,
          out,
          sums,
          xFormat: formatNumber(x),
          weightFormat: formatNumber(weight),
          channels,
          rows: sizeOf(x.shape.slice(0, -1)),
          partRows,
          eps,
        },
        units: parts,
        scratch: channelScratch(channels),
      },
    ]
  },
)
