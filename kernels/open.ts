// Opens a runtime with all kernels in it.

import { runtimeNames, UsageError, type Runtime, type RuntimeName } from '../tensor/index.js'
import { ReferenceRuntime } from '../tensor/reference/runtime.js'
import { environment, openAdapter, type AdapterOptions, type AdapterWish } from '../tensor/webgpu/adapter.js'
import { openDevice } from '../tensor/webgpu/device.js'
import { WebGpuRuntime, type WebGpuOptions } from '../tensor/webgpu/runtime.js'
import { referenceKernels } from './reference.js'
import { shaders } from './shaders.generated.js'
import { webgpuKernels } from './webgpu.js'

export interface OpenOptions extends WebGpuOptions, AdapterOptions {
  /** Which runtime; default: REVISION_RUNTIME, else webgpu. */
  runtime?: RuntimeName
  /** Which adapter; default: REVISION_ADAPTER, else the best there is. */
  adapter?: AdapterWish
}

/**
 * Opens the WebGPU runtime on the best adapter, or the one asked for.
 * @throws AdapterError if there is none; UsageError for a tune table of another adapter
 */
export async function openWebGpu({ adapter, ...options }: OpenOptions = {}): Promise<WebGpuRuntime> {
  const opened = await openDevice(await openAdapter(adapter, options))
  try {
    return new WebGpuRuntime(opened, webgpuKernels, shaders, options)
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
  if (name === 'reference') return new ReferenceRuntime(referenceKernels, options)
  if (name === 'webgpu') return openWebGpu(options)
  throw new UsageError({ where: 'runtime', what: 'no such runtime', expected: runtimeNames.join(' or '), got: name })
}
