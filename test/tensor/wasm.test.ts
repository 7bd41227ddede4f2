// The WebAssembly runtime: its heap, its threads, what it leaves to plain loops, and what happens when a thread fails.

import { spawnSync } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import nodeThreads, { Worker } from 'node:worker_threads'
import t from 'tap'
import { openCpu, linear, type OpenOptions } from '../../kernels/index.js'
import { matmulOp } from '../../kernels/matmul/matmul.js'
import { wasmModule } from '../../kernels/wasm.generated.js'
import {
  capture,
  execute,
  overwrite,
  readAll,
  referenceKernel,
  scope,
  sizeOf,
  Tensor,
  wasmKernel,
  type Launch,
  type Op,
  type Runtime,
  type StoredTensor,
} from '../../tensor/index.js'
import { webAssembly } from '../../tensor/wasm/api.js'
import { encode, ringEnd } from '../../tensor/wasm/command.js'
import { alignment, Heap } from '../../tensor/wasm/heap.js'
import { heapStart } from '../../tensor/wasm/memory.js'
import { compileModule } from '../../tensor/wasm/module.js'
import { projectRoot } from '../support/paths.js'

// An operation without a kernel here: it runs in its plain loops, on the host's thread.
const negateOp: Op<{ x: unknown }, null> = { name: 'negate', infer: ({ x }) => [x], flops: () => 0 }
const negateReference = referenceKernel(negateOp, ({ x }, [out]) => out.data.set(x.data.map(value => -value)))
const negate = (x: Tensor) => execute(negateOp, { x }, null)[0]

const extension = { reference: [negateReference] }
const open = (options: OpenOptions = {}) => openCpu({ poison: true, extension, ...options })

/** A runtime whose matrix product launches what a test wants. */
const openBroken = (launchOf: (a: StoredTensor) => Launch, threads: number) =>
  open({ threads, extension: { wasm: [wasmKernel(matmulOp, ({ inputs: { a } }) => [launchOf(a)])] } })

const ones = (runtime: Runtime, ...shape: number[]) =>
  Tensor.from(runtime, new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape)

await t.test('the heap gives the tightest range, and merges what comes back', async t => {
  let end = 0
  const heap = new Heap(0, wanted => {
    end = Math.max(end, wanted)
    return wanted <= 100 * alignment
  })
  const take = (units: number) => heap.allocate(units * alignment)! / alignment
  const give = (at: number, units: number) => heap.free(at * alignment, units * alignment)
  const places = [4, 1, 2, 1, 8].map(take)
  t.same(places, [0, 4, 5, 7, 8])
  give(0, 4)
  give(5, 2)
  t.equal(heap.idle, 6 * alignment)
  t.equal(take(2), 5, 'the range of two, not the wider one before it')
  t.equal(take(3), 0)
  give(0, 3)
  give(4, 1)
  t.equal(take(5), 0, 'neighbours on both sides became one range')
  give(8, 8)
  t.equal(take(9), 8, 'what is free at the end is where growth begins')
  t.equal(heap.allocate(90 * alignment), undefined, 'no further than the memory')
  t.equal(end, 107 * alignment)
  t.equal(heap.misses, 6)
  t.equal(heap.hits, 3)
})

await t.test('a command states every parameter, and each fits its type', async t => {
  const parts = { kernel: 3, units: 1, grain: 1, scratch: 0, scratchStride: 0, briefBytes: 0, addressOf: () => 0 }
  const fields = [
    { name: 'x', type: 'usize' },
    { name: 'scale', type: 'f32' },
  ] as const
  const { words, count } = encode('op', { ...parts, fields, params: { x: 2 ** 32 - 1, scale: 1 } })
  t.same([...words.slice(8, count)], [-1, 0x3f800000])
  const given = (params: Record<string, number | number[]>) => () => encode('op', { ...parts, fields, params })
  t.throws(given({ x: 1 }), /op: kernel is not given a parameter; expected scale/)
  t.throws(given({ x: 1, scale: 1, y: 2 }), /op: kernel has no such parameter; got y/)
  t.throws(given({ x: 2 ** 32, scale: 1 }), /op: parameter x is no usize; got 4294967296/)
  t.throws(given({ x: Array.from({ length: 200 }, () => 1), scale: 1 }), /op: too many parameters/)
})

await t.test("kernels' constants lie between the commands and the heap", async t => {
  const { module } = await compileModule(wasmModule, false, true)
  const memory = new webAssembly.Memory({ initial: 32, maximum: 64, shared: false })
  t.ok(new webAssembly.Instance(module, { env: { memory } }))
  const bytes = new Uint8Array(memory.buffer)
  const [first, last] = [bytes.findIndex(byte => byte !== 0), bytes.findLastIndex(byte => byte !== 0)]
  t.ok(ringEnd <= first && first < last && last < heapStart, `from ${first} to ${last}`)
})

await t.test('the build with fused multiply-adds computes what it should, also where they have to be asked for', t => {
  const program = `
    import { openRuntime, selfCheck } from './dist/kernels/index.js'
    const runtime = await openRuntime({ runtime: 'wasm', threads: 2 })
    console.log(runtime.description)
    for await (const { op, ok } of selfCheck(runtime)) if (!ok) console.log('wrong:', op)
    await runtime.close()`
  // Newer hosts have them without a flag, and do not know it any more.
  const flags = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : []
  const args = [...flags, '--input-type=module', '-e', program]
  const { stdout } = spawnSync(process.execPath, args, { cwd: projectRoot, encoding: 'utf8', timeout: 60_000 })
  t.equal(stdout, 'WebAssembly, 2 threads, 128-bit SIMD with fused multiply-add\n')
  t.end()
})

for (const threads of [0, 1, 2, 3])
  await t.test(`threads: ${threads}`, async t => {
    const runtime = await open({ threads })
    t.match(runtime, { name: 'wasm', threads })
    t.ok(runtime.fallbacks.includes('negate'))
    t.match(runtime.description, threads > 1 ? `${threads} threads` : 'one thread')

    const x = Tensor.from(runtime, [1, 2, 3, 4], [2, 2])
    const identity = Tensor.from(runtime, [1, 0, 0, 1], [2, 2])
    const y = scope(() => linear(negate(linear(x, identity)), identity))
    t.same(await y.data(), [-1, -2, -3, -4], 'plain loops take their turn between kernels')

    using step = capture(runtime, () => negate(linear(x, identity)))
    const results: Tensor[] = []
    for (let i = 0; i < 5; i++) {
      overwrite(x, [i, i, i, i + 1])
      results.push(linear(step.replay(), identity))
    }
    t.same(
      (await readAll(results)).map(data => data[3]),
      [-1, -2, -3, -4, -5],
      'neither uploads nor replays overtake each other',
    )

    // More commands than the ring has room for, each of which needs the one before.
    let sum = ones(runtime, 1, 1)
    const [weight, one] = [ones(runtime, 1, 1), ones(runtime, 1)]
    for (let i = 0; i < 3000; i++) {
      const next = linear(sum, weight, { bias: one })
      sum.dispose()
      sum = next
    }
    t.same(await sum.data(), [3001])

    const steady = async () => {
      const before = runtime.statistics()
      for (let i = 0; i < 10; i++) {
        using y = scope(() => linear(linear(x, identity), identity, { residual: x }))
        await y.data()
      }
      const after = runtime.statistics()
      return after.misses - before.misses
    }
    await steady()
    t.equal(await steady(), 0, 'a loop that repeats allocates nothing')
    await runtime.close()
  })

await t.test('a runtime that is closed tells those who still wait', async t => {
  const runtime = await open({ threads: 2 })
  let sum = ones(runtime, 64, 64)
  const weight = ones(runtime, 64, 64)
  const early = linear(sum, weight).data()
  for (let i = 0; i < 2000; i++) sum = linear(sum, weight)
  const waiting = [early, sum.data(), runtime.sync()].map(promise => promise.then(() => 'done', String))
  await runtime.close()
  const told = await Promise.all(waiting)
  t.match(told.slice(1), [/LifetimeError: wasm: runtime is closed/, /LifetimeError: wasm: runtime is closed/])
})

await t.test('a thread that ends takes the runtime with it: everything then throws a typed error', async t => {
  const started: Worker[] = []
  class Watched extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args)
      started.push(this)
    }
  }
  const swap = (constructor: typeof Worker) => {
    nodeThreads.Worker = constructor
    syncBuiltinESMExports()
  }
  swap(Watched)
  t.teardown(() => swap(Worker))
  const runtime = await open({ threads: 2 })
  const x = ones(runtime, 64, 64) // large enough for threads to be woken
  const step = capture(runtime, () => linear(x, x))
  step.replay()
  await runtime.sync()
  t.equal(started.length, 2)
  const negated = negate(x)
  const told = negated.data().catch((error: unknown) => error)
  // Threads that end do not keep the process alive until they have.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  await Promise.all(started.map(worker => worker.terminate()))

  const lost = { name: 'DeviceLostError', message: /: a worker thread ended \(exit code 1\); try a new runtime/ }
  t.match(await told, lost, 'who waits when it ends')
  await t.rejects(x.data(), lost, 'who wants to')
  await t.rejects(runtime.sync(), lost)
  t.throws(() => linear(x, x), { ...lost, message: /^matmul: a worker thread ended/ })
  t.throws(() => ones(runtime, 1), lost)
  t.throws(() => overwrite(x, new Float32Array(64 * 64)), lost)
  t.throws(() => capture(runtime, () => x), lost)
  t.throws(() => step.replay(), lost)
  for (const resource of [x, negated, step]) resource.dispose()
  t.equal(runtime.statistics().live, 0, 'what it held is still counted right')
  await runtime.close()
})

await t.test('contents that wait for their turn count towards the budget', async t => {
  const kib = 256 // elements of f32
  const runtime = await open({ threads: 2, maxBytes: 10 * 1024 })
  using x = ones(runtime, kib)
  await runtime.sync()
  using negated = negate(x) // waits for this thread, and so does all that follows
  using first = ones(runtime, kib) // 1 KiB, and as much until it is its turn
  using second = ones(runtime, kib)
  t.throws(() => ones(runtime, 3 * kib), { name: 'OutOfMemoryError', asked: 3 * 1024, live: 9 * 1024 })
  for (const value of [2, 3, 4, 5]) overwrite(x, new Float32Array(kib).fill(value))
  t.throws(() => overwrite(x, new Float32Array(kib)), { name: 'OutOfMemoryError', asked: 1024, live: 10 * 1024 })
  t.equal(runtime.statistics().live, 4 * 1024, 'what is refused leaves nothing behind')
  await runtime.sync()
  using last = ones(runtime, 5 * kib)
  t.same(
    (await readAll([x, negated, first, second, last])).map(data => data[0]),
    [5, -1, 1, 1, 1],
  )
  await runtime.close()
})

await t.test('memory ends before 4 GiB, with a typed error', async t => {
  const runtime = await openCpu({ threads: 1 })
  const gib = 2 ** 28 // elements of f32
  const three = Tensor.allocate(runtime, [3 * gib], 'f32', 'three')
  t.throws(() => Tensor.allocate(runtime, [gib], 'f32', 'fourth'), {
    name: 'OutOfMemoryError',
    asked: 4 * gib,
    live: 12 * gib,
  })
  three.dispose()
  t.same(runtime.statistics().live, 0)
  const high = Tensor.allocate(runtime, [gib], 'f32', 'first')
  const low = Tensor.allocate(runtime, [2 * gib - 32], 'f32', 'second')
  const last = Tensor.from(runtime, [1, 2, 3], [3])
  t.same(await last.data(), [1, 2, 3], 'addresses beyond 2 GiB are addresses')
  for (const tensor of [high, low, last]) tensor.dispose()
  await runtime.close()
})

for (const threads of [0, 2])
  await t.test(`a kernel that fails is told of by the next wait, with threads: ${threads}`, async t => {
    const outside = (source: StoredTensor) => ({
      kernel: 'copyBytes',
      params: { source, target: 2 ** 32 - 64 },
      units: 1,
    })
    const runtime = await openBroken(outside, threads)
    // So little that no thread is woken for it, and more.
    using small = ones(runtime, 4, 4)
    using large = ones(runtime, 128, 128)
    for (let i = 0; i < 20; i++) {
      const x = i % 2 === 0 ? small : large
      linear(x, x).dispose()
      const failed = { name: 'KernelError', message: /kernel copyBytes failed; got RuntimeError: memory access/ }
      await t.rejects(x.data(), failed)
      t.equal((await x.data()).length, sizeOf(x.shape), 'and the runtime lives')
    }
    await runtime.close()
  })

await t.test('launches that cannot be are refused, and leave no memory behind', async t => {
  const copy = { kernel: 'copyBytes', params: { source: 0, target: 0 }, scratch: 1000 }
  for (const [launch, message] of [
    [{ ...copy, kernel: 'nothing', units: 1 }, /matmul: no such WebAssembly kernel; got nothing/],
    [{ ...copy, units: 2 ** 31 }, /matmul: units cannot be counted; .*got 2147483648 units/],
    [{ ...copy, units: 2, grain: 0 }, /matmul: units cannot be counted; .*got 2 units by 0/],
    [{ ...copy, units: 2, grain: NaN }, /matmul: units cannot be counted/],
    [{ ...copy, params: { source: 0 }, units: 1 }, /matmul: kernel is not given a parameter; expected target/],
  ] as const) {
    const runtime = await openBroken(() => launch, 1)
    using x = ones(runtime, 4, 4)
    const { live } = runtime.statistics()
    t.throws(() => linear(x, x), message)
    t.equal(runtime.statistics().live, live)
    await runtime.close()
  }
})

await t.test('plain loops that fail are told of as well', async t => {
  const failing = referenceKernel(negateOp, () => {
    throw new Error('no luck')
  })
  const runtime = await open({ extension: { reference: [failing] } })
  using x = ones(runtime, 2)
  using y = negate(x)
  await t.rejects(y.data(), { name: 'KernelError', message: 'negate: plain loops failed; got Error: no luck' })
  await runtime.close()
})

await t.test('impossible numbers of threads are refused', async t => {
  for (const threads of [-1, 1.5, 65, NaN])
    await t.rejects(openCpu({ threads }), { name: 'UsageError', message: /threads: .* expected 0 to 64; got / })
  const before = process.env.REVISION_THREADS
  t.teardown(() => {
    if (before === undefined) delete process.env.REVISION_THREADS
    else process.env.REVISION_THREADS = before
  })
  process.env.REVISION_THREADS = 'many'
  await t.rejects(openCpu(), { name: 'UsageError', message: 'REVISION_THREADS: not a number of threads; got "many"' })
  process.env.REVISION_THREADS = '1'
  const runtime = await openCpu()
  t.equal(runtime.threads, 1)
  await runtime.close()
})

await t.test('a runtime that nobody waits for does not keep the process alive', async t => {
  const program = `
    import { openRuntime } from './dist/kernels/index.js'
    import { Tensor } from './dist/tensor/index.js'
    const runtime = await openRuntime({ runtime: 'wasm', threads: 2 })
    console.log(await Tensor.from(runtime, [1], [1]).data())`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: projectRoot,
    encoding: 'utf8',
    timeout: 60_000,
  })
  t.match({ status, stdout }, { status: 0, stdout: /Float32Array\(1\) \[ 1 \]/ })
})
