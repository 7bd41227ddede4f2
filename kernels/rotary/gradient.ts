// The gradient of a rotation is the rotation back; angles are constants.

import type { Gradient } from '../../tensor/gradient.js'
import { rotary, rotaryOp, type RotaryOperands, type RotaryParams } from './rotary.js'

export const rotaryGradient: Gradient<RotaryOperands, RotaryParams> = {
  op: rotaryOp,
  backward: ({ inputs: { cos, sin }, upstream: [up], params: { inverse } }) =>
    up ? { x: rotary(up, cos, sin, { inverse: !inverse }) } : {},
}
