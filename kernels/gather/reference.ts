// Gathering and scattering, plain.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { lineSizes } from '../reduce/line.js'
import { gatherOp } from './gather.js'
import { scatterAddOp } from './scatter-add.js'

export const gatherReference = referenceKernel(gatherOp, ({ x, index }, [out], { axis, shared }) => {
  const { outer, length, inner } = lineSizes(x.shape, { axis })
  const count = out.shape[axis]
  for (let o = 0; o < outer; o++)
    for (let n = 0; n < count; n++)
      for (let i = 0; i < inner; i++) {
        const at = (o * count + n) * inner + i
        const from = index.data[shared ? n : at]
        out.data[at] = from >= 0 && from < length ? x.data[(o * length + from) * inner + i] : NaN
      }
})

export const scatterAddReference = referenceKernel(scatterAddOp, ({ x, index }, [out], { axis, size }) => {
  const { outer, length, inner } = lineSizes(x.shape, { axis })
  const sums = new Float64Array(out.data.length)
  for (let o = 0; o < outer; o++)
    for (let n = 0; n < length; n++)
      for (let i = 0; i < inner; i++) {
        const at = (o * length + n) * inner + i
        const to = index.data[at]
        if (to >= 0 && to < size) sums[(o * size + to) * inner + i] += x.data[at]
      }
  out.data.set(sums)
})
