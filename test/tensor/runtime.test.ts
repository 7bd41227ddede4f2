// Runtimes: memory, batches, scopes, and what happens when the device says no. Matrix products stand in for any work.

import t from 'tap'
import { linear, openRuntime, openWebGpu, type OpenOptions } from '../../kernels/index.js'
import { matmulOp } from '../../kernels/matmul/matmul.js'
import { shaders } from '../../kernels/shaders.generated.js'
import { webgpuKernels } from '../../kernels/webgpu.js'
import { keep, overwrite, readAll, scope, Tensor, type Runtime } from '../../tensor/index.js'
import { openAdapter } from '../../tensor/webgpu/adapter.js'
import { openDevice, type OpenedDevice } from '../../tensor/webgpu/device.js'
import { webgpuKernel } from '../../tensor/webgpu/launch.js'
import { nullDevice } from '../../tensor/webgpu/null-device.js'
import { WebGpuRuntime } from '../../tensor/webgpu/runtime.js'
import { referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const runtimes = [await referenceRuntime(), await webgpuRuntime(), await wasmRuntime()]

// Memory comes in whole units, in bytes.
const units = { reference: 8, webgpu: 16, wasm: 64 }

// A weight that doubles.
const doubler = (runtime: Runtime) => Tensor.from(runtime, [2, 0, 0, 2], [2, 2])
const adapter = process.env.REVISION_ADAPTER ? undefined : ('swiftshader' as const)
const fresh = (options: OpenOptions = {}) => openWebGpu({ adapter, ...options })

type Device = OpenedDevice['device']

/** A device of its own, some of whose functions are replaced. */
async function opened(replace: (device: Device) => Partial<Device> = () => ({})): Promise<OpenedDevice> {
  const opened = await openDevice(await openAdapter(adapter, { quiet: true }))
  const own = replace(opened.device)
  const device = new Proxy(opened.device, {
    get(target, name) {
      const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target)
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
  return { ...opened, device }
}

for (const runtime of runtimes) {
  await t.test(`${runtime.name}: tensors`, async t => {
    const x = Tensor.from(runtime, [1, 2, 3, 4], [2, 2], 'f32', 'x')
    const half = Tensor.from(runtime, [1, -2.5, 65504], [3], 'f16')
    const byte = Tensor.from(runtime, new Uint8Array([1, 2, 255]), [3], 'u8')
    const empty = Tensor.zeros(runtime, [0, 4])
    t.same(await readAll([x, half, byte, empty]), [
      new Float32Array([1, 2, 3, 4]),
      new Uint16Array([0x3c00, 0xc100, 0x7bff]),
      new Uint8Array([1, 2, 255]),
      new Float32Array(0),
    ])
    t.same(await half.floats(), [1, -2.5, 65504])
    const view = x.reshape([1, -1])
    x.dispose()
    t.same(view.shape, [1, 4])
    t.same(await view.data(), [1, 2, 3, 4], 'a reshaped handle keeps the memory alive')
    t.throws(() => x.storage, { message: 'x: tensor used after it was released; try keep() or a wider scope' })
    t.throws(() => view.reshape([-2, -2]), /reshape: number of elements changes/)
    t.throws(() => view.reshape([3, -1]), /reshape: number of elements changes; expected 4 for \[1, 4\]; got \[3, -1\]/)
    for (const shape of [[-1], [2, 2.5], [NaN]])
      for (const make of [Tensor.zeros, Tensor.allocate])
        t.throws(() => make(runtime, shape, 'f32', 'x'), /^x: bad shape; expected whole numbers from 0; got /)
    t.throws(() => Tensor.from(runtime, [1, 2, 3, 4, 5], [2, 2.5]), { name: 'ShapeError', message: /bad shape/ })
    t.throws(() => Tensor.from(runtime, [1, 2], [3]), /elements do not fill the shape/)
    t.throws(
      () => Tensor.from(runtime, new Int32Array(1), [1]),
      /does not hold f32; expected Float32Array; got Int32Array/,
    )
  })

  await t.test(`${runtime.name}: a scope releases what was made inside, except its result`, async t => {
    const before = runtime.statistics().live
    let kept!: Tensor
    const result = scope(() => {
      const x = Tensor.from(runtime, [1, 2], [1, 2])
      const weight = doubler(runtime)
      kept = keep(linear(x, weight))
      return { deep: [scope(() => linear(kept, weight))] }
    })
    t.same(await result.deep[0].data(), [4, 8])
    t.same(await kept.data(), [2, 4])
    t.equal(runtime.statistics().live - before, 2 * units[runtime.name], 'two results are left')
    result.deep[0].dispose()
    kept.dispose()
    t.equal(runtime.statistics().live, before)
    t.throws(() => scope(() => Promise.resolve()), /body is asynchronous/)
  })

  await t.test(`${runtime.name}: memory beyond the budget is refused with all figures`, async t => {
    const limited = await openRuntime({ runtime: runtime.name, adapter, maxBytes: 1000 })
    const x = Tensor.zeros(limited, [32, 4])
    t.throws(() => Tensor.zeros(limited, [208], 'f32', 'big'), {
      message: /big: out of memory; got a request for 832 bytes with 512 live and 512 at the peak; try smaller/,
      asked: 832,
      live: 512,
      peak: 512,
    })
    x.dispose()
    const y = Tensor.zeros(limited, [208])
    t.equal(y.size, 208, 'released memory makes room')
    await limited.close()
    t.throws(() => Tensor.zeros(limited, [1]), /runtime is closed/)
    await t.rejects(limited.read([y.storage]), { name: 'LifetimeError', message: 'read: runtime is closed' })
    t.throws(() => Tensor.allocate(runtime, [2 ** 45], 'f32', 'vast'), { name: 'OutOfMemoryError', asked: 2 ** 47 })
    using z = Tensor.zeros(runtime, [1])
    const { storage } = z
    z.dispose()
    await t.rejects(runtime.read([storage]), { name: 'LifetimeError', message: /^zeros: memory used after/ })
  })
}

await t.test('an upload into recycled memory does not overtake work that still reads it', async t => {
  const runtime = await fresh()
  const weight = doubler(runtime)
  const results: Tensor[] = []
  for (let i = 0; i < 5; i++) {
    using x = Tensor.from(runtime, [i, i + 0.5], [1, 2])
    results.push(linear(x, weight))
  }
  t.same(
    (await readAll(results)).map(data => [...data]),
    [0, 1, 2, 3, 4].map(i => [2 * i, 2 * i + 1]),
  )
  await runtime.close()
})

await t.test('a steady loop creates no buffer, and hands its work over in batches', async t => {
  const runtime = await fresh()
  const counter = Tensor.from(runtime, [1, 0, 1, 1], [2, 2]) // (1, n) becomes (1, n + 1)
  let x = Tensor.from(runtime, [1, 0], [1, 2])
  const step = () => {
    const next = scope(() => linear(linear(x, counter), counter))
    x.dispose()
    x = next
  }
  for (let i = 0; i < 3; i++) step()
  await runtime.sync()
  const warm = runtime.statistics()
  for (let i = 0; i < 100; i++) step()
  await runtime.sync()
  const done = runtime.statistics()
  t.equal(done.misses, warm.misses, 'no new memory')
  t.equal(done.live, warm.live)
  t.equal(done.dispatches - warm.dispatches, 200)
  t.ok(done.submits - warm.submits <= 5, '200 dispatches in 4 batches of 64')
  t.same(await x.data(), [1, 206], 'all steps ran')
  await runtime.close()
})

await t.test('copies alone are handed over in batches too', async t => {
  const runtime = await fresh()
  const x = doubler(runtime)
  const y = Tensor.zeros(runtime, [2, 2])
  const before = runtime.statistics().submits
  for (let i = 0; i < 200; i++) overwrite(y, x)
  t.equal(runtime.statistics().submits - before, 3, 'of 64')
  t.same(await y.data(), [2, 0, 0, 2])
  await runtime.close()
})

await t.test('plans with narrower limits: no larger tensor, and reads in pieces', async t => {
  const runtime = await fresh({ limits: { maxBufferSize: 16384 } })
  t.throws(() => Tensor.zeros(runtime, [4097], 'f32', 'big'), { name: 'OutOfMemoryError', message: /^big: / })
  const data = [4096, 3, 0, 4000, 2, 4095].map(size => Float32Array.from({ length: size }, (_, i) => size + i))
  const read = await readAll(data.map(values => Tensor.from(runtime, values, [values.length])))
  for (const [n, values] of data.entries())
    t.equal(
      values.findIndex((value, i) => value !== read[n][i]),
      -1,
      `first wrong element of ${values.length}`,
    )
  await runtime.close()
})

await t.test('memory that the device refused is not handed out again', async t => {
  let refuse = true
  const device = await opened(device => ({
    popErrorScope: async () => {
      const error = await device.popErrorScope()
      return refuse ? { message: 'refused' } : error
    },
  }))
  const runtime = new WebGpuRuntime(device, [], {})
  Tensor.zeros(runtime, [4], 'f32', 'big').dispose()
  await t.rejects(runtime.sync(), { name: 'OutOfMemoryError', message: /^big: .*a request for 16 bytes/ })
  refuse = false
  const x = Tensor.from(runtime, [1, 2, 3, 4], [4])
  t.same(await x.data(), [1, 2, 3, 4])
  t.match(runtime.statistics(), { hits: 0, misses: 2, live: 16, idle: 0 })
  await runtime.close()
})

await t.test('a read that fails gives its buffer up', async t => {
  const staging: string[] = []
  const device = await opened(device => ({
    createBuffer: descriptor => {
      const buffer = device.createBuffer(descriptor)
      if (descriptor.label !== 'staging') return buffer
      staging.push('made')
      buffer.destroy = () => void staging.push('destroyed')
      buffer.mapAsync = () => Promise.reject(new Error('no map'))
      return buffer
    },
  }))
  const runtime = new WebGpuRuntime(device, [], {})
  await t.rejects(doubler(runtime).data(), /no map/)
  t.same(staging, ['made', 'destroyed'])
  await runtime.close()
})

await t.test('a shader that does not compile is shown with its lines, as often as it is asked for', async t => {
  const broken = webgpuKernel(matmulOp, () => [{ shader: 'x.wgsl', bindings: {}, uniforms: {}, workgroups: 1 }])
  const text = '@compute @workgroup_size(1)\nfn main() { oops }'
  const runtime = new WebGpuRuntime(await opened(), [broken], { 'x.wgsl': text })
  const x = doubler(runtime)
  for (let i = 0; i < 2; i++) {
    linear(x, x)
    await t.rejects(runtime.sync(), /x.wgsl: shader does not compile[^]* 2 \| fn main\(\) \{ oops \}/)
    t.equal(runtime.statistics().pipelines, 0)
  }
  await runtime.close()
})

await t.test('a shader that cannot be read leaves no error scope open', async t => {
  let depth = 0
  const device = await opened(device => ({
    pushErrorScope: filter => {
      depth++
      device.pushErrorScope(filter)
    },
    popErrorScope: () => {
      depth--
      return device.popErrorScope()
    },
  }))
  const runtime = new WebGpuRuntime(device, webgpuKernels, {})
  const x = doubler(runtime)
  t.throws(() => linear(x, x), /no such shader file/)
  await t.rejects(
    runtime.warmUp(runtime => linear(doubler(runtime), doubler(runtime))),
    /no such shader file/,
  )
  t.equal(depth, 0)
  await runtime.close()
})

await t.test('times dispatches on the device when asked to', async t => {
  const runtime = await fresh({ profile: true })
  linear(doubler(runtime), doubler(runtime))
  const timings = await runtime.timings()
  t.match(timings, [{ op: 'matmul', shader: 'matmul/matmul.wgsl' }])
  t.ok(timings[0].nanoseconds >= 0)
  const timeless = { ...runtime.facts, features: { ...runtime.facts.features, timestamps: false } }
  t.throws(() => new WebGpuRuntime(nullDevice(timeless), [], {}, { profile: true }), {
    name: 'AdapterError',
    message: /^profile: adapter has no timestamp queries/,
  })
  await runtime.close()
})

await t.test('a lost device fails the read in flight and everything after it, at once', async t => {
  const device = await opened()
  const runtime = new WebGpuRuntime(device, webgpuKernels, shaders)
  const x = doubler(runtime)
  const y = linear(x, x)
  const read = y.data()
  device.device.destroy()
  await t.rejects(read, { name: 'DeviceLostError', message: /device lost.*try a new runtime/ })
  t.throws(() => linear(x, x), { name: 'DeviceLostError', message: /^matmul: device lost/ })
  t.throws(() => Tensor.zeros(runtime, [1]), { name: 'DeviceLostError' })
  await t.rejects(runtime.sync(), { name: 'DeviceLostError' })
  await runtime.close()
})
