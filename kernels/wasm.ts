// Every operation's WebAssembly.

import type { WasmKernel } from '../tensor/wasm/launch.js'
import { attentionWasm } from './attention/wasm.js'
import { convTransposeWasm } from './conv-transpose/wasm.js'
import { convWasm } from './conv/wasm.js'
import { binaryWasm, castWasm, mixWasm, unaryWasm, whereWasm } from './elementwise/wasm.js'
import { gatherWasm, scatterAddWasm } from './gather/wasm.js'
import { kinematicsGradientWasm, kinematicsWasm } from './kinematics/wasm.js'
import { matmulWasm } from './matmul/wasm.js'
import { catWasm, expandWasm, padWasm, permuteWasm, sliceWasm } from './move/wasm.js'
import { groupNormGradientWasm, groupNormWasm, layerNormGradientWasm, layerNormWasm } from './norm/wasm.js'
import { accumulateWasm, adamwWasm } from './optim/wasm.js'
import { poolWasm } from './pool/wasm.js'
import { rasterWasm } from './raster/wasm.js'
import { argWasm, cumsumWasm, reduceWasm } from './reduce/wasm.js'
import { resizeWasm } from './resample/wasm.js'
import { rotaryWasm } from './rotary/wasm.js'
import { softmaxWasm } from './softmax/wasm.js'
import { sortWasm } from './sort/wasm.js'

export const wasmKernels: readonly WasmKernel[] = [
  accumulateWasm,
  adamwWasm,
  argWasm,
  attentionWasm,
  binaryWasm,
  castWasm,
  catWasm,
  convTransposeWasm,
  convWasm,
  cumsumWasm,
  expandWasm,
  gatherWasm,
  groupNormGradientWasm,
  groupNormWasm,
  kinematicsGradientWasm,
  kinematicsWasm,
  layerNormGradientWasm,
  layerNormWasm,
  matmulWasm,
  mixWasm,
  padWasm,
  permuteWasm,
  poolWasm,
  rasterWasm,
  reduceWasm,
  resizeWasm,
  rotaryWasm,
  scatterAddWasm,
  sliceWasm,
  softmaxWasm,
  sortWasm,
  unaryWasm,
  whereWasm,
]
