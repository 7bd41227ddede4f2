// Every operation's plain loops.

import type { ReferenceKernel } from '../tensor/reference/compute.js'
import { attentionReference } from './attention/reference.js'
import { convReference } from './conv/reference.js'
import { convTransposeReference } from './conv-transpose/reference.js'
import {
  binaryReference,
  castReference,
  mixReference,
  unaryReference,
  whereReference,
} from './elementwise/reference.js'
import { gatherReference, scatterAddReference } from './gather/reference.js'
import { kinematicsGradientReference, kinematicsReference } from './kinematics/reference.js'
import { matmulReference } from './matmul/reference.js'
import { catReference, expandReference, padReference, permuteReference, sliceReference } from './move/reference.js'
import {
  groupNormGradientReference,
  groupNormReference,
  layerNormGradientReference,
  layerNormReference,
} from './norm/reference.js'
import { accumulateReference, adamwReference } from './optim/reference.js'
import { poolReference } from './pool/reference.js'
import { rasterReference } from './raster/reference.js'
import { argReference, cumsumReference, reduceReference } from './reduce/reference.js'
import { resizeReference } from './resample/reference.js'
import { rotaryReference } from './rotary/reference.js'
import { softmaxReference } from './softmax/reference.js'
import { sortReference } from './sort/reference.js'

export const referenceKernels: readonly ReferenceKernel[] = [
  accumulateReference,
  adamwReference,
  argReference,
  attentionReference,
  binaryReference,
  castReference,
  catReference,
  convReference,
  convTransposeReference,
  cumsumReference,
  expandReference,
  gatherReference,
  groupNormGradientReference,
  groupNormReference,
  kinematicsGradientReference,
  kinematicsReference,
  layerNormGradientReference,
  layerNormReference,
  matmulReference,
  mixReference,
  padReference,
  permuteReference,
  poolReference,
  rasterReference,
  reduceReference,
  resizeReference,
  rotaryReference,
  scatterAddReference,
  sliceReference,
  softmaxReference,
  sortReference,
  unaryReference,
  whereReference,
]
