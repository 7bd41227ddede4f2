// The gradient of every operation that has one.

import type { Gradient } from '../tensor/index.js'
import { attentionGradient } from './attention/gradient.js'
import { binaryGradient, castGradient, mixGradient, unaryGradient, whereGradient } from './elementwise/gradient.js'
import { gatherGradient, scatterAddGradient } from './gather/gradient.js'
import { kinematicsGradient } from './kinematics/gradient.js'
import { matmulGradient } from './matmul/gradient.js'
import { catGradient, expandGradient, padGradient, permuteGradient, sliceGradient } from './move/gradient.js'
import { layerNormGradient } from './norm/gradient.js'
import { cumsumGradient, reduceGradient } from './reduce/gradient.js'
import { rotaryGradient } from './rotary/gradient.js'
import { softmaxGradient } from './softmax/gradient.js'
import { sortGradient } from './sort/gradient.js'

export const gradients: readonly Gradient[] = [
  attentionGradient,
  binaryGradient,
  castGradient,
  catGradient,
  cumsumGradient,
  expandGradient,
  gatherGradient,
  kinematicsGradient,
  layerNormGradient,
  matmulGradient,
  mixGradient,
  padGradient,
  permuteGradient,
  reduceGradient,
  rotaryGradient,
  scatterAddGradient,
  sliceGradient,
  softmaxGradient,
  sortGradient,
  unaryGradient,
  whereGradient,
]
