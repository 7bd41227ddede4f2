// Convolution, plain: a sum over taps and channels in double precision for each output, then the epilogue.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { activations } from '../common/activations.js'
import { convOp, convSizes } from './conv.js'

export const convReference = referenceKernel(convOp, ({ x, weight, bias, shift, residual }, [out], params) => {
  const { batch, frames, rows, columns, channels, outChannels, groups } = convSizes(x.shape, weight.shape, params)
  const groupChannels = channels / groups
  const activate = activations[params.activation]

  const sum = (b: number, f: number, y: number, z: number, o: number): number => {
    const group = Math.floor((o * groups) / outChannels)
    let total = 0
    for (let df = 0; df < frames.kernel; df++) {
      const frame = f - frames.before + df
      if (frame < 0 || frame >= frames.size) continue
      for (let dy = 0; dy < rows.kernel; dy++) {
        const row = y * rows.stride - rows.before + dy
        if (row < 0 || row >= rows.size) continue
        for (let dx = 0; dx < columns.kernel; dx++) {
          const column = z * columns.stride - columns.before + dx
          if (column < 0 || column >= columns.size) continue
          const pixel = ((b * frames.size + frame) * rows.size + row) * columns.size + column
          const tap = ((o * frames.kernel + df) * rows.kernel + dy) * columns.kernel + dx
          for (let c = 0; c < groupChannels; c++)
            total += x.data[pixel * channels + group * groupChannels + c] * weight.data[tap * groupChannels + c]
        }
      }
    }
    return total
  }

  let index = 0
  for (let b = 0; b < batch; b++) {
    const shiftRow = shift ? Math.floor((b * shift.shape[0]) / batch) : 0
    for (let f = 0; f < frames.out; f++)
      for (let y = 0; y < rows.out; y++)
        for (let z = 0; z < columns.out; z++)
          for (let o = 0; o < outChannels; o++, index++) {
            const added = (bias ? bias.data[o] : 0) + (shift ? shift.data[shiftRow * outChannels + o] : 0)
            out.data[index] = activate(sum(b, f, y, z, o) + added) + (residual ? residual.data[index] : 0)
          }
  }
})
