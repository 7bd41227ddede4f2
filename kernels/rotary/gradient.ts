// The gradient of a rotation is the rotation back; angles are constants.

import { gradient } from '../../tensor/index.js'
import { rotary, rotaryOp } from './rotary.js'

export const rotaryGradient = gradient(
  rotaryOp,
  ({ inputs: { cos, sin }, upstream: [up], params: { inverse } }) =>
    up ? { x: rotary(up, cos, sin, { inverse: !inverse }) } : {},
  () => ['cos', 'sin'],
)
