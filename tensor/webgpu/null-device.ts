// A device that has no memory, compiles nothing and runs nothing, for runtimes that only plan: what such a runtime asks
// of it tells which shaders and how much memory the same work takes on a real device.

import { LifetimeError } from '../errors.js'
import type { AdapterFacts } from './adapter.js'
import type { OpenedDevice } from './device.js'

const nothing = () => undefined

// WebGPU's flags, by the numbers of its specification.
const flags = {
  GPUBufferUsage: {
    MAP_READ: 1,
    MAP_WRITE: 2,
    COPY_SRC: 4,
    COPY_DST: 8,
    INDEX: 16,
    VERTEX: 32,
    UNIFORM: 64,
    STORAGE: 128,
    INDIRECT: 256,
    QUERY_RESOLVE: 512,
  },
  GPUShaderStage: { VERTEX: 1, FRAGMENT: 2, COMPUTE: 4 },
}

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

/** A device that does nothing, with the facts of one that does. Needs no WebGPU to be there. */
export function nullDevice(facts: AdapterFacts): OpenedDevice {
  for (const [name, value] of Object.entries(flags))
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  return {
    device: { ...device } as unknown as GPUDevice,
    facts,
    lost: new Promise(nothing),
    wait: promise => promise,
    close: () => Promise.resolve(),
  }
}
