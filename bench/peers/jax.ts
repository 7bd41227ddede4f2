// jax-js on its WebGPU or its WebAssembly backend, every task under jit. Its convolutions want channels first. A use of
// an array consumes it, hence `ref`.

import { pathToFileURL } from 'node:url'
import { channelsFirst, channelsLast } from '../../test/support/layout.js'
import type { Shape } from '../../tensor/index.js'
import { fileOf, onThreads, versionOf, type Driver, type HostTensors, type Work } from './driver.js'
import type { PeerTask } from './protocol.js'

interface JaxArray {
  readonly shape: number[]
  readonly ref: JaxArray
  add(other: JaxArray | number): JaxArray
  sub(other: JaxArray): JaxArray
  mul(other: JaxArray | number): JaxArray
  reshape(shape: readonly number[]): JaxArray
  gpuBuffer(): Promise<unknown>
  blockUntilReady(): Promise<unknown>
  data(): Promise<Float32Array>
  dispose(): void
}

interface Jitted {
  (...operands: JaxArray[]): JaxArray
  dispose(): void
}

type Backend = 'webgpu' | 'wasm'

/** What is used of it. */
interface Jax {
  init(device: Backend): Promise<string[]>
  defaultDevice(device: Backend): void
  jit(body: (...operands: JaxArray[]) => JaxArray): Jitted
  numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray
    matmul(a: JaxArray, b: JaxArray): JaxArray
    transpose(x: JaxArray, axes?: readonly number[]): JaxArray
    mean(x: JaxArray, axes: readonly number[], options: { keepdims: boolean }): JaxArray
    square(x: JaxArray): JaxArray
    sqrt(x: JaxArray): JaxArray
    reciprocal(x: JaxArray): JaxArray
    repeat(x: JaxArray, times: number, axis: number): JaxArray
  }
  lax: { conv(x: JaxArray, weight: JaxArray, strides: number[], padding: [number, number][]): JaxArray }
  nn: {
    silu(x: JaxArray): JaxArray
    softmax(x: JaxArray, axis: number): JaxArray
    dotProductAttention(q: JaxArray, k: JaxArray, v: JaxArray): JaxArray
  }
}

/** Node 20 lacks the methods of iterators that jax-js uses. */
function completeIterators(): void {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object
  const methods = {
    *map<T, R>(this: Iterable<T>, f: (value: T, index: number) => R) {
      let index = 0
      for (const value of this) yield f(value, index++)
    },
    *filter<T>(this: Iterable<T>, f: (value: T) => boolean) {
      for (const value of this) if (f(value)) yield value
    },
    *flatMap<T, R>(this: Iterable<T>, f: (value: T) => Iterable<R>) {
      for (const value of this) yield* f(value)
    },
    *take<T>(this: Iterable<T>, count: number) {
      let left = count
      for (const value of this) if (left-- > 0) yield value
    },
    toArray<T>(this: Iterable<T>) {
      return [...this]
    },
    forEach<T>(this: Iterable<T>, f: (value: T) => void) {
      for (const value of this) f(value)
    },
    some<T>(this: Iterable<T>, f: (value: T) => boolean) {
      for (const value of this) if (f(value)) return true
      return false
    },
    every<T>(this: Iterable<T>, f: (value: T) => boolean) {
      for (const value of this) if (!f(value)) return false
      return true
    },
    find<T>(this: Iterable<T>, f: (value: T) => boolean) {
      for (const value of this) if (f(value)) return value
      return undefined
    },
    reduce<T, R>(this: Iterable<T>, f: (sum: R, value: T) => R, start: R) {
      let sum = start
      for (const value of this) sum = f(sum, value)
      return sum
    },
  }
  for (const [name, value] of Object.entries(methods))
    if (!(name in prototype)) Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
}

async function open(backend: Backend): Promise<{ jax: Jax; version: string }> {
  completeIterators()
  const jax = (await import(pathToFileURL(fileOf('@jax-js/jax', 'dist/index.js')).href)) as Jax
  if (!(await jax.init(backend)).includes(backend)) throw new Error(`its backend ${backend} does not start`)
  jax.defaultDevice(backend)
  return { jax, version: versionOf('@jax-js/jax') }
}

/** Loads it for WebGPU. Throws when its backend does not start. */
export async function openJax(): Promise<Driver> {
  const { jax, version } = await open('webgpu')
  // Handing an array over submits its work; else it stays a promise, and the next run forgets it.
  const submit = (array: JaxArray) => array.ref.gpuBuffer()
  return { version, prepare: (task, operands) => Promise.resolve(prepare(jax, submit, task, operands)) }
}

/** Loads it for WebAssembly; takes as many threads as `navigator` has cores. */
export async function openJaxWasm(threads: number): Promise<Driver> {
  const { jax, version } = await open('wasm')
  const finish = (array: JaxArray) => array.blockUntilReady()
  return {
    version: onThreads(version, threads),
    prepare: (task, operands) => Promise.resolve(prepare(jax, finish, task, operands)),
  }
}

function prepare(jax: Jax, start: (array: JaxArray) => Promise<unknown>, task: PeerTask, operands: HostTensors): Work {
  const { names, first = [], body, outputFirst = false } = plan(jax, task, operands)
  const arrays = names.map(name => {
    const { data, shape } = operands[name]
    const given = first.includes(name) ? channelsFirst(data, shape) : { data, shape }
    return jax.numpy.array(given.data, { shape: given.shape })
  })
  const compiled = jax.jit(body)
  let last: JaxArray | undefined
  return {
    async run() {
      last?.dispose()
      last = compiled(...arrays.map(array => array.ref))
      await start(last)
    },
    async output() {
      if (!last) return new Float32Array()
      const { shape } = last
      const data = await last.ref.data()
      return outputFirst ? channelsLast(data, shape).data : data
    },
    dispose() {
      last?.dispose()
      compiled.dispose()
      for (const array of arrays) array.dispose()
    },
  }
}

interface Plan {
  names: string[]
  /** Operands that are wanted with their channels first. */
  first?: string[]
  outputFirst?: boolean
  body: (...operands: JaxArray[]) => JaxArray
}

function plan({ numpy: np, lax, nn }: Jax, task: PeerTask, operands: HostTensors): Plan {
  const normalize = (x: JaxArray, axes: readonly number[], eps: number) => {
    const centred = x.ref.sub(np.mean(x, axes, { keepdims: true }))
    const variance = np.mean(np.square(centred.ref), axes, { keepdims: true })
    return centred.mul(np.reciprocal(np.sqrt(variance.add(eps))))
  }
  const split = (x: JaxArray, shape: Shape) => x.reshape(shape)
  switch (task.op) {
    case 'matmul':
      return { names: ['a', 'b'], body: (a, b) => np.matmul(a, task.transposeB ? np.transpose(b) : b) }
    case 'conv2d': {
      const { stride, padding: p } = task
      const conv = (x: JaxArray, weight: JaxArray) =>
        lax.conv(
          x,
          weight,
          [stride, stride],
          [
            [p, p],
            [p, p],
          ],
        )
      return {
        names: ['x', 'weight', 'bias'],
        first: ['x', 'weight'],
        outputFirst: true,
        body: (x, weight, bias) => conv(x, weight).add(bias.reshape([-1, 1, 1])), // [B,O,H,W]
      }
    }
    case 'attention': {
      const [batch, tokens, channels] = operands.q.shape
      const heads = [batch, tokens, task.heads, channels / task.heads]
      return {
        names: ['q', 'k', 'v'],
        body: (q, k, v) => nn.dotProductAttention(split(q, heads), split(k, heads), split(v, heads)),
      }
    }
    case 'softmax':
      return { names: ['x'], body: x => nn.softmax(x, -1) }
    case 'group_norm': {
      const [batch, height, width, channels] = operands.x.shape
      const grouped = [batch, task.groups, channels / task.groups, height, width]
      return {
        names: ['x', 'weight', 'bias'],
        first: ['x'],
        outputFirst: true,
        body: (x, weight, bias) =>
          normalize(split(x, grouped), [2, 3, 4], task.eps)
            .reshape([batch, channels, height, width])
            .mul(weight.reshape([-1, 1, 1]))
            .add(bias.reshape([-1, 1, 1])),
      }
    }
    case 'layer_norm': {
      const last = operands.x.shape.length - 1
      return {
        names: ['x', 'weight', 'bias'],
        body: (x, weight, bias) => normalize(x, [last], task.eps).mul(weight).add(bias),
      }
    }
    case 'silu_add':
      return { names: ['x', 'y'], body: (x, y) => nn.silu(x).add(y) }
    case 'permute':
      return { names: ['x'], body: x => np.transpose(x, task.axes) }
    case 'upsample':
      return { names: ['x'], body: x => np.repeat(np.repeat(x, 2, 1), 2, 2) }
  }
}
