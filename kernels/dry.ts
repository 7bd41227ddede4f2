// Runtimes that plan as the real ones do but have no memory and run nothing. The same work recorded on one tells how
// much memory it takes, to the byte, and how many operations, without a GPU and whatever the size.

import {
  WasmRuntime,
  WebGpuRuntime,
  type AdapterFacts,
  type Each,
  type Op,
  type Recording,
  type Runtime,
  type StoredTensor,
} from '../tensor/index.js'
import { dryHost } from '../tensor/wasm/dry.js'
import { nullDevice } from '../tensor/webgpu/null-device.js'
import { referenceKernels } from './reference.js'
import { shaders } from './shaders.generated.js'
import { wasmModule } from './wasm.generated.js'
import { wasmKernels } from './wasm.js'
import { webgpuKernels } from './webgpu.js'

/** A runtime without memory. Reading from it fails. */
export interface DryRuntime extends Runtime {
  /** Floating-point operations of all work that it was given; that of a capture counts at each replay. */
  flops: number
}

export interface DryOptions {
  /** As which runtime it plans; default: webgpu. */
  runtime?: 'webgpu' | 'wasm'
  /** For webgpu: the adapter's facts. Default: those of a common GPU. */
  facts?: AdapterFacts
  /** For wasm: each thread takes a little memory of its own. Default: 2. */
  threads?: number
}

/** What GPUs have that are not older than a few years, in the cautious figures that WebGPU gives for them. */
const commonGpu: AdapterFacts = {
  kind: 'hardware',
  vendor: '',
  architecture: '',
  device: '',
  description: 'a common GPU',
  isFallback: false,
  features: { f16: true, subgroups: true, timestamps: false, subgroupMatrix: false },
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  subgroupMatrixConfigs: [],
  limits: {
    maxStorageBufferBindingSize: 2 ** 31 - 4,
    maxBufferSize: 2 ** 32,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
    maxComputeWorkgroupSizeY: 1024,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupStorageSize: 2 ** 15,
    maxComputeWorkgroupsPerDimension: 65535,
    maxStorageBuffersPerShaderStage: 10,
    minStorageBufferOffsetAlignment: 256,
    minUniformBufferOffsetAlignment: 256,
  },
}

/**
 * Opens a runtime without memory; needs no adapter. What no runtime of its kind can hold is refused with an
 * OutOfMemoryError: on webgpu a buffer beyond the adapter's limit, on wasm addresses beyond 4 GiB.
 */
export function openDry({ runtime = 'webgpu', facts = commonGpu, threads = 2 }: DryOptions = {}): DryRuntime {
  if (runtime === 'webgpu') return counting(new WebGpuRuntime(nullDevice(facts), webgpuKernels, shaders))
  const parts = { host: dryHost(), source: wasmModule, kernels: wasmKernels, references: referenceKernels }
  return counting(new WasmRuntime(parts, threads, {}))
}

/** A runtime without memory that plans as the given one. */
export function dryTwin(runtime: Runtime): DryRuntime {
  if (runtime instanceof WebGpuRuntime) return openDry({ facts: runtime.facts })
  // Plain loops take what WebAssembly takes, but for the scratch space of its kernels.
  return openDry({ runtime: 'wasm', threads: runtime instanceof WasmRuntime ? runtime.threads : 0 })
}

/** Makes a runtime count operations. Recorded work counts when it is replayed, not when it is recorded. */
function counting(runtime: Runtime): DryRuntime {
  const run = runtime.run.bind(runtime)
  const capture = runtime.capture.bind(runtime)
  const counter: DryRuntime = Object.assign(runtime, {
    flops: 0,
    run<I extends object, P>(
      op: Op<I, P>,
      inputs: Each<I, StoredTensor>,
      outputs: readonly StoredTensor[],
      params: P,
    ): void {
      counter.flops += op.flops(inputs, outputs, params)
      run(op, inputs, outputs, params)
    },
    capture(body: () => void): Recording {
      const before = counter.flops
      const recording = capture(body)
      const recorded = counter.flops - before
      counter.flops = before
      const replay = () => {
        counter.flops += recorded
        recording.replay()
      }
      return { replay, release: () => recording.release() }
    },
  })
  return counter
}
