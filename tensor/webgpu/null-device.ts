// A device that has no memory, compiles nothing and runs nothing, for runtimes that only plan: what such a runtime asks
// of it tells which shaders and how much memory the same work takes on a real device.

import { LifetimeError } from '../errors.js'
import type { AdapterFacts } from './adapter.js'
import type { OpenedDevice } from './device.js'

const nothing = () => undefined

const buffer = {
  destroy: nothing,
  mapAsync: () => Promise.reject(new LifetimeError({ where: 'read', what: 'there is nothing to read in a dry run' })),
}
const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing }
const encoder = { beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: nothing }

/** The part of a GPUDevice that a runtime without profiling uses. */
const device = {
  createBuffer: ({ size }: GPUBufferDescriptor) => ({ ...buffer, size }),
  createBindGroupLayout: nothing,
  createPipelineLayout: nothing,
  createShaderModule: nothing,
  createComputePipeline: nothing,
  createComputePipelineAsync: () => Promise.resolve(),
  createBindGroup: nothing,
  createCommandEncoder: () => encoder,
  pushErrorScope: nothing,
  popErrorScope: () => Promise.resolve(null),
  queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: () => Promise.resolve() },
  destroy: nothing,
}

/** A device that does nothing, with the facts of one that does. */
export function nullDevice(facts: AdapterFacts): OpenedDevice {
  return {
    device: { ...device } as unknown as GPUDevice,
    facts,
    lost: new Promise(nothing),
    wait: promise => promise,
    close: () => Promise.resolve(),
  }
}
