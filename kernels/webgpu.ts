// Every operation's WGSL.

import type { WebGpuKernel } from '../tensor/webgpu/launch.js'
import { attentionWebGpu } from './attention/webgpu.js'
import { convWebGpu } from './conv/webgpu.js'
import { convTransposeWebGpu } from './conv-transpose/webgpu.js'
import { binaryWebGpu, castWebGpu, mixWebGpu, unaryWebGpu, whereWebGpu } from './elementwise/webgpu.js'
import { gatherWebGpu, scatterAddWebGpu } from './gather/webgpu.js'
import { kinematicsGradientWebGpu, kinematicsWebGpu } from './kinematics/webgpu.js'
import { matmulWebGpu } from './matmul/webgpu.js'
import { catWebGpu, expandWebGpu, padWebGpu, permuteWebGpu, sliceWebGpu } from './move/webgpu.js'
import { groupNormWebGpu, layerNormWebGpu } from './norm/webgpu.js'
import { accumulateWebGpu, adamwWebGpu } from './optim/webgpu.js'
import { poolWebGpu } from './pool/webgpu.js'
import { rasterWebGpu } from './raster/webgpu.js'
import { argWebGpu, cumsumWebGpu, reduceWebGpu } from './reduce/webgpu.js'
import { resizeWebGpu } from './resample/webgpu.js'
import { rotaryWebGpu } from './rotary/webgpu.js'
import { softmaxWebGpu } from './softmax/webgpu.js'
import { sortWebGpu } from './sort/webgpu.js'

export const webgpuKernels: readonly WebGpuKernel[] = [
  accumulateWebGpu,
  adamwWebGpu,
  argWebGpu,
  attentionWebGpu,
  binaryWebGpu,
  castWebGpu,
  catWebGpu,
  convWebGpu,
  convTransposeWebGpu,
  cumsumWebGpu,
  expandWebGpu,
  gatherWebGpu,
  groupNormWebGpu,
  kinematicsGradientWebGpu,
  kinematicsWebGpu,
  layerNormWebGpu,
  matmulWebGpu,
  mixWebGpu,
  padWebGpu,
  permuteWebGpu,
  poolWebGpu,
  rasterWebGpu,
  reduceWebGpu,
  resizeWebGpu,
  rotaryWebGpu,
  scatterAddWebGpu,
  sliceWebGpu,
  softmaxWebGpu,
  sortWebGpu,
  unaryWebGpu,
  whereWebGpu,
]
