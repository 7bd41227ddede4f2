// Opens a runtime with all kernels in it.

import {
  AdapterError,
  openWasm,
  ReferenceRuntime,
  runtimeNames,
  UsageError,
  WebGpuRuntime,
  type AdapterOptions,
  type AdapterWish,
  type ReferenceKernel,
  type Runtime,
  type RuntimeName,
  type WasmKernel,
  type WasmOptions,
  type WasmRuntime,
  type WebGpuKernel,
  type WebGpuOptions,
} from '../tensor/index.js'
import { environment, openAdapter } from '../tensor/webgpu/adapter.js'
import { openDevice } from '../tensor/webgpu/device.js'
import { referenceKernels } from './reference.js'
import { shaders } from './shaders.generated.js'
import { wasmModule } from './wasm.generated.js'
import { wasmKernels } from './wasm.js'
import { webgpuKernels } from './webgpu.js'

/** Kernels of one's own. One for an operation of the house takes the place of its kernel. */
export interface Extension {
  readonly reference?: readonly ReferenceKernel[]
  readonly webgpu?: readonly WebGpuKernel[]
  /** WGSL under the names that dispatches and `#include` call it by; those of the house are there as well. */
  readonly shaders?: Readonly<Record<string, string>>
  readonly wasm?: readonly WasmKernel[]
}

export interface OpenOptions extends WebGpuOptions, AdapterOptions, WasmOptions {
  /** Which runtime; default: REVISION_RUNTIME, else webgpu on a GPU or the adapter asked for, else wasm. */
  runtime?: RuntimeName
  /** Which adapter; default: REVISION_ADAPTER, else the best there is. */
  adapter?: AdapterWish
  /** Kernels beside those of the house. */
  extension?: Extension
}

/**
 * Opens the WebGPU runtime on the best adapter, or the one asked for.
 * @throws AdapterError if there is none; UsageError for a tune table of another adapter
 */
export async function openWebGpu({ adapter, extension, ...options }: OpenOptions = {}): Promise<WebGpuRuntime> {
  const opened = await openDevice(await openAdapter(adapter, options))
  try {
    const kernels = [...webgpuKernels, ...(extension?.webgpu ?? [])]
    return new WebGpuRuntime(opened, kernels, { ...shaders, ...extension?.shaders }, options)
  } catch (error) {
    await opened.close()
    throw error
  }
}

/** Opens the runtime of plain loops. */
function openReference({ extension, ...options }: OpenOptions = {}): ReferenceRuntime {
  return new ReferenceRuntime([...referenceKernels, ...(extension?.reference ?? [])], options)
}

/**
 * Opens the WebAssembly runtime. An operation of an extension that has no WebAssembly runs in its plain loops.
 * @throws AdapterError where there is no WebAssembly with SIMD; UsageError for an impossible number of threads
 */
export async function openCpu({ extension, ...options }: OpenOptions = {}): Promise<WasmRuntime> {
  const parts = {
    source: wasmModule,
    kernels: [...wasmKernels, ...(extension?.wasm ?? [])],
    references: [...referenceKernels, ...(extension?.reference ?? [])],
  }
  return openWasm(parts, { ...options, threads: options.threads ?? threadsOf(environment('REVISION_THREADS')) })
}

function threadsOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const threads = Number(text)
  if (Number.isInteger(threads)) return threads
  throw new UsageError({ where: 'REVISION_THREADS', what: 'not a number of threads', got: JSON.stringify(text) })
}

/** A GPU if there is one, else the CPU. */
async function openBest(options: OpenOptions): Promise<Runtime> {
  if (options.adapter ?? environment('REVISION_ADAPTER')) return openWebGpu(options)
  try {
    return await openWebGpu({ ...options, adapter: 'hardware' })
  } catch (error) {
    if (error instanceof AdapterError) return openCpu(options)
    throw error
  }
}

/**
 * Opens a runtime: the one asked for, else the one REVISION_RUNTIME names, else webgpu if there is a GPU or an adapter
 * is asked for, else wasm.
 * @throws UsageError if there is no such runtime; what `openWebGpu` and `openCpu` throw
 */
export async function openRuntime(options: OpenOptions = {}): Promise<Runtime> {
  const name = options.runtime ?? environment('REVISION_RUNTIME')
  if (!name) return openBest(options)
  if (name === 'reference') return openReference(options)
  if (name === 'webgpu') return openWebGpu(options)
  if (name === 'wasm') return openCpu(options)
  const expected = runtimeNames.join(', ').replace(/, (\w+)$/, ' or $1')
  const where = options.runtime ? 'runtime' : 'REVISION_RUNTIME'
  throw new UsageError({ where, what: 'no such runtime', expected, got: name })
}
