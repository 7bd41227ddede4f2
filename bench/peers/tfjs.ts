// TensorFlow.js on its WebGPU or its WebAssembly backend. Its layout is ours, but for the weights of convolutions.

import { permuted } from '../../test/support/layout.js'
import type { Shape } from '../../tensor/index.js'
import { fileOf, load, onThreads, versionOf, type Driver, type HostTensors, type Work } from './driver.js'
import type { PeerTask } from './protocol.js'

interface TfTensor {
  readonly shape: number[]
  data(): Promise<Float32Array>
  dispose(): void
}

/** What is used of it. */
interface Tf {
  env(): { set(flag: string, value: boolean): void }
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  backend(): { readonly commandEncoder?: object | null; endComputePassEncoder(): void; submitQueue(): void }
  tidy(body: () => TfTensor): TfTensor
  tensor(data: Float32Array, shape: Shape): TfTensor
  matMul(a: TfTensor, b: TfTensor, transposeA: boolean, transposeB: boolean): TfTensor
  fused: {
    conv2d(options: {
      x: TfTensor
      filter: TfTensor
      bias: TfTensor
      strides: number
      pad: number
      dimRoundingMode: 'floor'
    }): TfTensor
  }
  softmax(x: TfTensor): TfTensor
  moments(x: TfTensor, axes: number[], keepDims: boolean): { mean: TfTensor; variance: TfTensor }
  reshape(x: TfTensor, shape: number[]): TfTensor
  transpose(x: TfTensor, axes: number[]): TfTensor
  add(a: TfTensor, b: TfTensor | number): TfTensor
  sub(a: TfTensor, b: TfTensor): TfTensor
  mul(a: TfTensor, b: TfTensor | number): TfTensor
  rsqrt(x: TfTensor): TfTensor
  sigmoid(x: TfTensor): TfTensor
  image: { resizeNearestNeighbor(x: TfTensor, size: number[]): TfTensor }
}

async function open(backend: 'webgpu' | 'wasm'): Promise<Tf> {
  const tf = load('@tensorflow/tfjs-core') as Tf
  const { setWasmPaths } = load(`@tensorflow/tfjs-backend-${backend}`) as { setWasmPaths?(folder: string): void }
  setWasmPaths?.(fileOf('@tensorflow/tfjs-backend-wasm', 'dist/'))
  if (!(await tf.setBackend(backend))) throw new Error(`its backend ${backend} does not start`)
  await tf.ready()
  return tf
}

/** `turned`: right operands of products are transposed beforehand where a product wants them so. */
const driverOf = (tf: Tf, turned: boolean, version: string): Driver => ({
  version,
  prepare: (task, operands) => Promise.resolve(prepare(tf, turned, task, operands)),
})

/** Loads it for WebGPU. Throws when its backend does not start. */
export async function openTfjs(): Promise<Driver> {
  const tf = await open('webgpu')
  tf.env().set('WEBGPU_CPU_FORWARD', false)
  return driverOf(tf, false, versionOf('@tensorflow/tfjs-core'))
}

/** Loads it for WebAssembly, where it has one thread in Node, and is slow at products that transpose. */
export async function openTfjsWasm(): Promise<Driver> {
  return driverOf(await open('wasm'), true, onThreads(versionOf('@tensorflow/tfjs-core'), 1))
}

function prepare(tf: Tf, turned: boolean, task: PeerTask, operands: HostTensors): Work {
  const made: TfTensor[] = []
  const give = (data: Float32Array, shape: Shape) => {
    const tensor = tf.tensor(data, shape)
    made.push(tensor)
    return tensor
  }
  const named = (name: string) => give(operands[name].data, operands[name].shape)
  const { body, restore = (data: Float32Array) => data } = plan(tf, turned, task, operands, named, give)
  let last: TfTensor | undefined
  return {
    run() {
      last?.dispose()
      last = tf.tidy(body)
    },
    flush() {
      const backend = tf.backend()
      if (!backend.commandEncoder) return // it submits by itself every few dispatches
      backend.endComputePassEncoder()
      backend.submitQueue()
    },
    output: async () => restore(last ? await last.data() : new Float32Array()),
    dispose() {
      last?.dispose()
      for (const tensor of made) tensor.dispose()
    },
  }
}

interface Plan {
  body: () => TfTensor
  /** The output in our layout, where the library's is another. */
  restore?: (data: Float32Array) => Float32Array
}

function plan(
  tf: Tf,
  turned: boolean,
  task: PeerTask,
  operands: HostTensors,
  named: (name: string) => TfTensor,
  give: (data: Float32Array, shape: Shape) => TfTensor,
): Plan {
  const normalize = (x: TfTensor, axes: number[], eps: number) => {
    const { mean, variance } = tf.moments(x, axes, true)
    return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps)))
  }
  switch (task.op) {
    case 'matmul': {
      const transposeB = task.transposeB && !turned
      const { data, shape } = operands.b
      const right = task.transposeB && turned ? permuted(data, shape, [1, 0]) : operands.b
      const [a, b] = [named('a'), give(right.data, right.shape)]
      return { body: () => tf.matMul(a, b, false, transposeB) }
    }
    case 'conv2d': {
      const { data, shape } = operands.weight
      const kernel = permuted(data, shape, [1, 2, 3, 0]) // [kh,kw,C,O]
      const [x, bias, filter] = [named('x'), named('bias'), give(kernel.data, kernel.shape)]
      const { stride: strides, padding: pad } = task
      return { body: () => tf.fused.conv2d({ x, filter, bias, strides, pad, dimRoundingMode: 'floor' }) }
    }
    case 'attention': {
      const [batch, tokens, channels] = operands.q.shape
      const width = channels / task.heads
      const split = [batch, tokens, task.heads, width]
      const apart = (name: string, axes: readonly number[]) => {
        const { data, shape } = permuted(operands[name].data, split, axes)
        return give(data, shape)
      }
      const rows = [0, 2, 1, 3] // [B,heads,N,width]
      const [q, k, v] = [apart('q', rows), apart('k', turned ? [0, 2, 3, 1] : rows), apart('v', rows)]
      return {
        body: () => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, !turned), width ** -0.5)), v, false, false),
        restore: data => permuted(data, q.shape, rows).data,
      }
    }
    case 'softmax': {
      const x = named('x')
      return { body: () => tf.softmax(x) }
    }
    case 'group_norm': {
      const [x, weight, bias] = ['x', 'weight', 'bias'].map(named)
      const [batch, height, width, channels] = x.shape
      const split = [batch, height * width, task.groups, channels / task.groups]
      return {
        body: () => {
          const normal = normalize(tf.reshape(x, split), [1, 3], task.eps)
          return tf.add(tf.mul(tf.reshape(normal, x.shape), weight), bias)
        },
      }
    }
    case 'layer_norm': {
      const [x, weight, bias] = ['x', 'weight', 'bias'].map(named)
      return { body: () => tf.add(tf.mul(normalize(x, [x.shape.length - 1], task.eps), weight), bias) }
    }
    case 'silu_add': {
      const [x, y] = ['x', 'y'].map(named)
      return { body: () => tf.add(tf.mul(x, tf.sigmoid(x)), y) }
    }
    case 'permute': {
      const x = named('x')
      return { body: () => tf.transpose(x, [...task.axes]) }
    }
    case 'upsample': {
      const x = named('x')
      const [, height, width] = x.shape
      return { body: () => tf.image.resizeNearestNeighbor(x, [2 * height, 2 * width]) }
    }
  }
}
