// Gradients of transposed convolutions: with respect to the picture a plain convolution, with respect to the weight that
// of the plain convolution with picture and gradient in each other's place.

import { gradient, type Tensor } from '../../tensor/index.js'
import { conv2d, convSizes } from '../conv/conv.js'
import { shiftGradient, weightGradient } from '../conv/gradient.js'
import { cast } from '../elementwise/cast.js'
import { permute } from '../move/permute.js'
import { convTransposeOp } from './conv-transpose.js'

export const convTransposeGradient = gradient(
  convTransposeOp,
  ({ inputs: { x, weight, bias }, upstream: [g], params: { stride, padding }, needs }) => {
    if (!g) return {}
    const found: { x?: Tensor; weight?: Tensor; bias?: Tensor } = {}
    const [outChannels, kh, kw, channels] = weight.shape
    if (needs.has('x')) found.x = conv2d(g, permute(cast(weight, 'f32'), [3, 1, 2, 0]), { stride, padding })
    if (needs.has('weight')) {
      const video = (picture: Tensor) => picture.reshape([picture.shape[0], 1, ...picture.shape.slice(1)])
      const margins = [0, padding, padding].map(n => ({ before: n, after: n }))
      const sizes = convSizes(video(g).shape, [channels, 1, kh, kw, outChannels], {
        stride,
        padding: [margins[0], margins[1], margins[2]],
        groups: 1,
        activation: 'none',
      })
      const turned = weightGradient(video(g), video(cast(x, 'f32')), sizes) // [I,1,kh,kw,O]
      found.weight = permute(turned.reshape([channels, kh, kw, outChannels]), [3, 1, 2, 0])
    }
    if (bias && needs.has('bias')) found.bias = shiftGradient(g, [1, outChannels]).reshape(bias.shape)
    return found
  },
  (_, needs) => [...(needs.has('x') ? (['weight'] as const) : []), ...(needs.has('weight') ? (['x'] as const) : [])],
)
