// Launches the norms. Group norm takes three launches: moments of slices of rows, their merger, the result.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { activationNumber, formatNumber } from '../common/wasm-operand.js'
import { groupNormOp, groupNormSizes } from './group-norm.js'
import { layerNormOp } from './layer-norm.js'

/** Elements of a slice: read twice, it should stay in a core's cache. */
const sliceElements = 16384

export const groupNormWasm = wasmKernel(groupNormOp, ({ inputs, outputs: [out], params, scratch }) => {
  const { x, weight, bias } = inputs
  if (sizeOf(x.shape) === 0) return []
  const { batch, rows, channels, depth } = groupNormSizes(x.shape, params)
  const { groups, eps, activation } = params
  const sliceRows = Math.min(rows, Math.ceil(sliceElements / channels))
  const slices = Math.ceil(rows / sliceRows)
  const moments = scratch([batch, slices, groups, 3], 'f32')
  const statistics = scratch([batch, groups, 3], 'f32')
  const cuts = { rows, depth, slices, sliceRows }
  const privateMemory = 3 * 4 * (channels + 3)
  return [
    {
      kernel: 'groupNormMoments',
      params: { x, moments, xFormat: formatNumber(x), channels, ...cuts },
      units: batch * slices,
      scratch: privateMemory,
    },
    { kernel: 'groupNormMerge', params: { moments, statistics, groups, eps, ...cuts }, units: batch * groups },
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
      scratch: privateMemory,
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
