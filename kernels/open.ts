// Opens a runtime with all kernels in it.

import {
  ReferenceRuntime,
  runtimeNames,
  UsageError,
  WebGpuRuntime,
  type AdapterOptions,
  type AdapterWish,
  type ReferenceKernel,
  type Runtime,
  type RuntimeName,
  type WebGpuKernel,
  type WebGpuOptions,
} from '../tensor/index.js'
import { environment, openAdapter } from '../tensor/webgpu/adapter.js'
import { openDevice } from '../tensor/webgpu/device.js'
import { referenceKernels } from './reference.js'
import { shaders } from './shaders.generated.js'
import { webgpuKernels } from './webgpu.js'

/** Kernels of one's own. One for an operation of the house takes the place of its kernel. */
export interface Extension {
  readonly reference?: readonly ReferenceKernel[]
  readonly webgpu?: readonly WebGpuKernel[]
  /** WGSL under the names that dispatches and `#include` call it by; those of the house are there as well. */
  readonly shaders?: Readonly<Record<string, string>>
}

export interface OpenOptions extends WebGpuOptions, AdapterOptions {
  /** Which runtime; default: REVISION_RUNTIME, else webgpu. */
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

/**
 * Opens a runtime: the one asked for, else the one REVISION_RUNTIME names, else webgpu.
 * @throws UsageError if there is no such runtime; what `openWebGpu` throws
 */
export async function openRuntime(options: OpenOptions = {}): Promise<Runtime> {
  const name = options.runtime ?? (environment('REVISION_RUNTIME') || 'webgpu')
  if (name === 'reference')
    return new ReferenceRuntime([...referenceKernels, ...(options.extension?.reference ?? [])], options)
  if (name === 'webgpu') return openWebGpu(options)
  throw new UsageError({ where: 'runtime', what: 'no such runtime', expected: runtimeNames.join(' or '), got: name })
}
