// The cellar: dtypes, shapes, tensors, scopes, runtimes, random numbers and files. Loads in browsers.

export { capture, Captured, overwrite } from './capture.js'
export {
  allocateHost,
  byteSize,
  dtypes,
  f16ToF32,
  f32ToBf16,
  f32ToF16,
  fromFloat32,
  hostArray,
  joinFloats,
  toFloat32,
  type DType,
  type HostArray,
} from './dtype.js'
export * from './errors.js'
export { execute, update } from './execute.js'
export { gradient, type Backward, type Gradient } from './gradient.js'
export { bytesOf, type Each, type Op, type TensorSpec } from './op.js'
export { Generator, type GeneratorState } from './random.js'
export {
  runtimeNames,
  type Recording,
  type Runtime,
  type RuntimeName,
  type RuntimeOptions,
  type Statistics,
  type Storage,
  type StoredTensor,
} from './runtime.js'
export { disposeAll, keep, scope } from './scope.js'
export {
  broadcastShapes,
  broadcastStrides,
  normalizeAxis,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
  type Shape,
} from './shape.js'
export { checkpoint, detached, isTracked, Tape, type Calculus, type Checkpointed } from './tape.js'
export { readAll, Tensor } from './tensor.js'
export { Watch } from './watch.js'

// Files.
export {
  HttpSource,
  MemorySource,
  NodeFileSource,
  NpzFile,
  openCheckpoint,
  openSafetensors,
  parseNpy,
  readNpy,
  SafetensorsFile,
  ShardedFile,
  writeSafetensors,
  type ByteSource,
  type HttpOptions,
  type LoadedTensor,
  type SafetensorsEntry,
  type StoredDType,
  type TensorChunk,
  type TensorFile,
  type TensorInfo,
} from './files/index.js'

// The runtimes, and what kernels for them are written with.
export { referenceKernel, type HostTensor, type ReferenceKernel } from './reference/compute.js'
export { ReferenceRuntime } from './reference/runtime.js'
export { wasmKernel, type Launch, type WasmCall, type WasmKernel, type WasmParam } from './wasm/launch.js'
export { openWasm, WasmRuntime, type WasmOptions } from './wasm/runtime.js'
export type { WasmModuleSource } from './wasm/module.js'
export type {
  AdapterFacts,
  AdapterKind,
  AdapterLimits,
  AdapterOptions,
  AdapterWish,
  SubgroupMatrixConfig,
} from './webgpu/adapter.js'
export type { Uniforms } from './webgpu/interface.js'
export {
  webgpuKernel,
  windowElements,
  windowOf,
  type Call,
  type Dispatch,
  type Tune,
  type WebGpuKernel,
  type Window,
} from './webgpu/launch.js'
export type { Defines } from './webgpu/preprocess.js'
export type { Timing } from './webgpu/profiler.js'
export { WebGpuRuntime, type WebGpuOptions } from './webgpu/runtime.js'
