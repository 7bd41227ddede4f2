// Rotary position embedding, plain: each pair of channels turned in its plane.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { rotaryOp, rotarySizes } from './rotary.js'

export const rotaryReference = referenceKernel(rotaryOp, ({ x, cos, sin }, [out], { inverse }) => {
  const { rows, positions, channels, pairs } = rotarySizes(x.shape, cos.shape)
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < channels; head += 2 * pairs)
      for (let i = 0; i < pairs; i++) {
        const angle = (row % positions) * pairs + i
        const [c, s] = [cos.data[angle], inverse ? -sin.data[angle] : sin.data[angle]]
        const first = row * channels + head + i
        const [a, b] = [x.data[first], x.data[first + pairs]]
        out.data[first] = a * c - b * s
        out.data[first + pairs] = b * c + a * s
      }
})
