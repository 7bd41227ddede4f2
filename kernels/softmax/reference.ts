// Softmax, plain: the maximum of a line, the sum of exponentials below it, the quotients.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { lineSizes } from '../reduce/line.js'
import { softmaxOp } from './softmax.js'

export const softmaxReference = referenceKernel(softmaxOp, ({ x }, [out], params) => {
  const { outer, length, inner } = lineSizes(x.shape, params)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (n: number): number => (o * length + n) * inner + i
      let most = -Infinity
      for (let n = 0; n < length; n++) most = Math.max(most, x.data[at(n)])
      let total = 0
      for (let n = 0; n < length; n++) total += Math.exp(x.data[at(n)] - most)
      for (let n = 0; n < length; n++) {
        const below = x.data[at(n)] - most
        out.data[at(n)] = params.log ? below - Math.log(total) : Math.exp(below) / total
      }
    }
})
