// Every operation's plain loops.

import type { ReferenceKernel } from '../tensor/reference/runtime.js'
import { attentionReference } from './attention/reference.js'
import { convReference } from './conv/reference.js'
import {
  binaryReference,
  castReference,
  mixReference,
  unaryReference,
  whereReference,
} from './elementwise/reference.js'
import { matmulReference } from './matmul/reference.js'
import {
  catReference,
  embeddingReference,
  expandReference,
  padReference,
  permuteReference,
  sliceReference,
} from './move/reference.js'
import { groupNormReference, layerNormReference } from './norm/reference.js'
import { argReference, cumsumReference, reduceReference } from './reduce/reference.js'
import { resizeReference } from './resample/reference.js'
import { softmaxReference } from './softmax/reference.js'

export const referenceKernels: readonly ReferenceKernel[] = [
  argReference,
  attentionReference,
  binaryReference,
  castReference,
  catReference,
  convReference,
  cumsumReference,
  embeddingReference,
  expandReference,
  groupNormReference,
  layerNormReference,
  matmulReference,
  mixReference,
  padReference,
  permuteReference,
  reduceReference,
  resizeReference,
  sliceReference,
  softmaxReference,
  unaryReference,
  whereReference,
]
