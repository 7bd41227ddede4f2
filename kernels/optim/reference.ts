// The optimiser's steps, plain.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { accumulateOp } from './accumulate.js'
import { adamwOp } from './adamw.js'

export const adamwReference = referenceKernel(
  adamwOp,
  ({ gradient, rates, scale }, [parameter, mean, square], { beta1, beta2, eps, weightDecay }) => {
    const [rate, step, correction] = rates.data
    const factor = scale ? scale.data[0] : 1
    for (let i = 0; i < gradient.data.length; i++) {
      const g = gradient.data[i] * factor
      const m = beta1 * mean.data[i] + (1 - beta1) * g
      const v = beta2 * square.data[i] + (1 - beta2) * g * g
      mean.data[i] = m
      square.data[i] = v
      parameter.data[i] = parameter.data[i] * (1 - rate * weightDecay) - (step * m) / (Math.sqrt(v) * correction + eps)
    }
  },
)

export const accumulateReference = referenceKernel(accumulateOp, ({ x, shares }, [sum]) => {
  const [kept, added] = shares.data
  for (let i = 0; i < x.data.length; i++) sum.data[i] = (kept === 0 ? 0 : kept * sum.data[i]) + added * x.data[i]
})
