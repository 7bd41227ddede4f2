// The gradient of every operation that has one.

import type { Gradient } from '../tensor/index.js'
import { attentionGradient } from './attention/gradient.js'
import { convGradient } from './conv/gradient.js'
import { convTransposeGradient } from './conv-transpose/gradient.js'
import { binaryGradient, castGradient, mixGradient, unaryGradient, whereGradient } from './elementwise/gradient.js'
import { gatherGradient, scatterAddGradient } from './gather/gradient.js'
import { kinematicsGradient } from './kinematics/gradient.js'
import { matmulGradient } from './matmul/gradient.js'
import { catGradient, expandGradient, padGradient, permuteGradient, sliceGradient } from './move/gradient.js'
import { groupNormGradient, layerNormGradient } from './norm/gradient.js'
import { poolGradient } from './pool/gradient.js'
import { cumsumGradient, reduceGradient } from './reduce/gradient.js'
import { resizeGradient } from './resample/gradient.js'
import { rotaryGradient } from './rotary/gradient.js'
import { softmaxGradient } from './softmax/gradient.js'
import { sortGradient } from './sort/gradient.js'

export const gradients: readonly Gradient[] = [
  attentionGradient,
  binaryGradient,
  castGradient,
  catGradient,
  convGradient,
  convTransposeGradient,
  cumsumGradient,
  expandGradient,
  gatherGradient,
  groupNormGradient,
  kinematicsGradient,
  layerNormGradient,
  matmulGradient,
  mixGradient,
  padGradient,
  permuteGradient,
  poolGradient,
  reduceGradient,
  resizeGradient,
  rotaryGradient,
  scatterAddGradient,
  sliceGradient,
  softmaxGradient,
  sortGradient,
  unaryGradient,
  whereGradient,
]
