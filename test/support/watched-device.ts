// A WebGPU runtime whose device tells what is made on it.

import tap from 'tap'
import { shaders } from '../../kernels/shaders.generated.js'
import { webgpuKernels } from '../../kernels/webgpu.js'
import { openAdapter } from '../../tensor/webgpu/adapter.js'
import { openDevice } from '../../tensor/webgpu/device.js'
import { WebGpuRuntime } from '../../tensor/webgpu/runtime.js'

const watched = ['createBuffer', 'createBindGroup', 'createComputePipeline', 'createComputePipelineAsync']

/** A runtime on the test adapter; `made` lists the calls of its device that made something. */
export async function watchedRuntime(): Promise<{ runtime: WebGpuRuntime; made: string[] }> {
  const adapter = process.env.REVISION_ADAPTER ? undefined : 'swiftshader'
  const opened = await openDevice(await openAdapter(adapter, { quiet: true }))
  const made: string[] = []
  const device = new Proxy(opened.device, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (watched.includes(String(name))) made.push(String(name))
        return Reflect.apply(value, target, args)
      }
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
  const runtime = new WebGpuRuntime({ ...opened, device }, webgpuKernels, shaders)
  tap.teardown(() => runtime.close())
  return { runtime, made }
}
