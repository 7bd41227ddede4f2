// All operations: the functions that run them with their options, and the statement of each (`...Op`) with its operands
// and parameters.

export {
  attention,
  attentionOp,
  type AttentionOperands,
  type AttentionOptions,
  type AttentionParams,
} from './attention/attention.js'
export type { Activation } from './common/activations.js'
export {
  conv2d,
  conv3d,
  convOp,
  type Conv2dOptions,
  type Conv3dOptions,
  type ConvOperands,
  type ConvOptions,
  type ConvParams,
  type Margin,
} from './conv/conv.js'
export {
  convTranspose2d,
  convTransposeOp,
  type ConvTranspose2dOptions,
  type ConvTransposeOperands,
  type ConvTransposeParams,
} from './conv-transpose/conv-transpose.js'
export {
  calculusOf,
  differentiate,
  watchNumbers,
  type Differentiated,
  type DifferentiateOptions,
  type Loss,
} from './differentiate.js'
export {
  add,
  atan2,
  binaryOp,
  div,
  maximum,
  minimum,
  mul,
  sub,
  type BinaryOperands,
  type BinaryParams,
} from './elementwise/binary.js'
export { mix, mixOp, where, whereOp, type MixOperands, type WhereOperands } from './elementwise/blend.js'
export { cast, castOp, type Castable, type CastOperands, type CastParams } from './elementwise/cast.js'
export type { BinaryName, UnaryName } from './elementwise/functions.js'
export {
  abs,
  affine,
  ceil,
  clamp,
  cos,
  erf,
  exp,
  floor,
  gelu,
  geluTanh,
  log,
  log2,
  neg,
  pow,
  quickGelu,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  tanh,
  unaryOp,
  type UnaryOperands,
  type UnaryParams,
} from './elementwise/unary.js'
export { embedding } from './gather/embedding.js'
export { gather, gatherOp, indexSelect, type GatherOperands, type GatherParams } from './gather/gather.js'
export { scatterAdd, scatterAddOp, type ScatterAddOperands, type ScatterAddParams } from './gather/scatter-add.js'
export {
  kinematics,
  kinematicsGradientOp,
  kinematicsOp,
  type Kinematics,
  type KinematicsGradientOperands,
  type KinematicsOperands,
} from './kinematics/kinematics.js'
export {
  linear,
  matmul,
  matmulOp,
  type MatmulOperands,
  type MatmulOptions,
  type MatmulParams,
} from './matmul/matmul.js'
export { cat, catOp, type CatOperands, type CatParams } from './move/cat.js'
export { expand, expandOp, type ExpandOperands, type ExpandParams } from './move/expand.js'
export { pad, padOp, type PadMode, type PadOperands, type PadOptions, type PadParams } from './move/pad.js'
export { permute, permuteOp, type PermuteOperands, type PermuteParams } from './move/permute.js'
export { slice, sliceOp, type SliceOperands, type SliceParams } from './move/slice.js'
export {
  groupNorm,
  groupNormOp,
  type GroupNormOperands,
  type GroupNormOptions,
  type GroupNormParams,
} from './norm/group-norm.js'
export { layerNorm, layerNormOp, type LayerNormOperands, type LayerNormParams } from './norm/layer-norm.js'
export { accumulate, accumulateOp, type AccumulateOperands } from './optim/accumulate.js'
export {
  adamwOp,
  adamwStep,
  type AdamwInputs,
  type AdamwOperands,
  type AdamwParams,
  type AdamwState,
} from './optim/adamw.js'
export {
  avgPool2d,
  maxPool2d,
  poolOp,
  type AvgPoolOptions,
  type PoolOperands,
  type PoolOptions,
  type PoolParams,
} from './pool/pool.js'
export { depthRange, raster, rasterOp, type Rastered, type RasterOperands, type RasterParams } from './raster/raster.js'
export {
  argmax,
  argmin,
  argOp,
  cumsum,
  cumsumOp,
  type ArgParams,
  type LineOperands,
  type LineParams,
} from './reduce/line.js'
export {
  max,
  mean,
  min,
  reduceOp,
  sum,
  variance,
  type ReduceOperands,
  type ReduceOptions,
  type ReduceParams,
} from './reduce/reduce.js'
export { resize, resizeOp, type ResizeOperands, type ResizeOptions, type ResizeParams } from './resample/resize.js'
export { rotary, rotaryOp, type RotaryOperands, type RotaryOptions, type RotaryParams } from './rotary/rotary.js'
export { logSoftmax, softmax, softmaxOp, type SoftmaxOperands, type SoftmaxParams } from './softmax/softmax.js'
export { sort, sortOp, topK, type Sorted, type SortOperands, type SortParams } from './sort/sort.js'
