// onnxruntime: in the browser's edition on its WebGPU provider or on WebAssembly, and in Node's on native code. Weights
// are constants of a model of a few nodes. On WebGPU activations stay on the device; on the CPU its interface copies
// inputs and outputs between JavaScript's memory and its own, which is part of what a run costs there.

import { pathToFileURL } from 'node:url'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { fileOf, load, onThreads, versionOf, type Driver, type Work } from './driver.js'
import { writeModel } from './onnx.js'
import { planOf, type HostFloats, type OrtPlan } from './ort-plan.js'

interface OrtTensor {
  getData(): Promise<Float32Array>
  dispose(): void
}

interface Session {
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
  release(): Promise<void>
}

/** What all editions have in common. */
interface Ort {
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> }
  Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor
}

/** What is used of the browser's edition. */
interface OrtWeb extends Ort {
  env: {
    wasm: object
    webgpu: { device: GPUDevice | Promise<GPUDevice> }
    logLevel: string
  }
  Tensor: Ort['Tensor'] & {
    fromGpuBuffer(buffer: GPUBuffer, options: { dataType: 'float32'; dims: readonly number[] }): OrtTensor
  }
}

/** Operands where a provider wants them. */
interface Feeds {
  feeds: Record<string, OrtTensor>
  dispose?(): void
}

interface Provider {
  /** Options of its sessions. */
  options: object
  /** Called with a session open. */
  feed(activations: Readonly<Record<string, HostFloats>>): Feeds | Promise<Feeds>
}

const mapped = <T, R>(record: Readonly<Record<string, T>>, body: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, body(value)]))

const dist = pathToFileURL(fileOf('onnxruntime-web', 'dist/')).href

async function openWeb(bundle: string, wasm: object): Promise<OrtWeb> {
  const ort = (await import(new URL(bundle, dist).href)) as OrtWeb
  Object.assign(ort.env.wasm, wasm)
  ort.env.logLevel = 'error'
  return ort
}

// Its fused attention is wrong (by a few per cent) where subgroups have 4 or 8 lanes, as on drivers for the CPU.
const fusedLanes = 16

/** Loads it for WebGPU; its backend starts with the first model. */
export async function openOrt({ subgroupMinSize }: AdapterFacts): Promise<Driver> {
  const ort = await openWeb('ort.webgpu.bundle.min.mjs', { numThreads: 1, wasmPaths: dist })
  const gpu: Provider = {
    options: { executionProviders: ['webgpu'], preferredOutputLocation: 'gpu-buffer' },
    async feed(activations) {
      const device = await ort.env.webgpu.device
      const buffers: GPUBuffer[] = []
      const feeds = mapped(activations, ({ data, shape }) => {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
        const buffer = device.createBuffer({ size: Math.ceil(data.byteLength / 16) * 16, usage })
        device.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, data.byteLength)
        buffers.push(buffer)
        return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape })
      })
      return { feeds, dispose: () => buffers.forEach(buffer => buffer.destroy()) }
    },
  }
  return {
    version: versionOf('onnxruntime-web'),
    prepare: (task, operands) => prepare(ort, gpu, planOf(task, operands, subgroupMinSize >= fusedLanes)),
  }
}

function onCpu(ort: Ort, version: string, options: object): Driver {
  const cpu: Provider = {
    options,
    feed: activations => ({
      feeds: mapped(activations, ({ data, shape }) => new ort.Tensor('float32', data, shape)),
    }),
  }
  return { version, prepare: (task, operands) => prepare(ort, cpu, planOf(task, operands, true)) }
}

/** Loads it for WebAssembly. */
export async function openOrtWasm(threads: number): Promise<Driver> {
  const ort = await openWeb('ort.node.min.mjs', { numThreads: threads })
  return onCpu(ort, onThreads(versionOf('onnxruntime-web'), threads), { executionProviders: ['wasm'] })
}

/** Loads it for native code. */
export function openOrtNode(threads: number): Driver {
  const ort = load('onnxruntime-node') as Ort
  const options = { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 }
  return onCpu(ort, onThreads(versionOf('onnxruntime-node'), threads), options)
}

async function prepare(ort: Ort, provider: Provider, plan: OrtPlan): Promise<Work> {
  const { activations, restore = (data: Float32Array) => data, ...model } = plan
  const inputs = mapped(activations, ({ shape }) => shape)
  const session = await ort.InferenceSession.create(writeModel({ ...model, inputs }), provider.options)
  const { feeds, dispose } = await provider.feed(activations)
  let last: OrtTensor | undefined
  return {
    async run() {
      last?.dispose()
      last = (await session.run(feeds)).out
    },
    async output() {
      if (!last) return new Float32Array()
      const data = (await last.getData()).slice()
      // Reading moves it to the host; the next run makes another.
      last = undefined
      return restore(data)
    },
    async dispose() {
      last?.dispose()
      await session.release()
      dispose?.()
    },
  }
}
