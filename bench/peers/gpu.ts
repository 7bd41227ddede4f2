// Gives a peer the WebGPU of a browser: `navigator.gpu` on the adapter that the bench runs on.

import { describeAdapter, openAdapter, type AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { patiently } from '../../tensor/webgpu/patience.js'

const devices: GPUDevice[] = []

/** Dawn refuses views of shared memory, which browsers take. */
function acceptSharedMemory(queue: GPUQueue): void {
  const write = queue.writeBuffer.bind(queue)
  queue.writeBuffer = (buffer, bufferOffset, data, dataOffset = 0, size?: number) => {
    const memory = ArrayBuffer.isView(data) ? data.buffer : data
    if (!(memory instanceof SharedArrayBuffer)) return write(buffer, bufferOffset, data, dataOffset, size)
    // Offset and size count elements of a view, bytes of a buffer.
    const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1
    const start = (ArrayBuffer.isView(data) ? data.byteOffset : 0) + dataOffset * unit
    const end =
      size === undefined ? (ArrayBuffer.isView(data) ? data.byteOffset : 0) + data.byteLength : start + size * unit
    return write(buffer, bufferOffset, new Uint8Array(memory).slice(start, end))
  }
}

/** Defines `navigator` and what else libraries for browsers look for; tells of the adapter. Throws an AdapterError. */
export async function provideGpu(wish: string): Promise<AdapterFacts> {
  const { gpu, adapter } = await openAdapter(wish || undefined, { quiet: true })
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = await gpu.requestAdapter(options)
    if (!adapter) return adapter
    const requestDevice = adapter.requestDevice.bind(adapter)
    adapter.requestDevice = async descriptor => {
      const device = await requestDevice(descriptor)
      acceptSharedMemory(device.queue)
      devices.push(device)
      return device
    }
    return adapter
  }
  const navigator = {
    gpu: { requestAdapter, getPreferredCanvasFormat: () => 'bgra8unorm' },
    userAgent: 'node',
    hardwareConcurrency: 2,
    language: 'en',
  }
  for (const [name, value] of Object.entries({ navigator, self: globalThis }))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  return describeAdapter(adapter)
}

/** Waits until the peer's devices have done all that was submitted, as considerately as our own runtime waits. */
export async function settled(): Promise<void> {
  await patiently(Promise.all(devices.map(device => device.queue.onSubmittedWorkDone())))
}
