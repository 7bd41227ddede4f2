// The tape: what it records, what it holds and for how long, checkpoints, captured steps.

import t from 'tap'
import {
  add,
  argmax,
  cast,
  differentiate,
  exp,
  linear,
  matmul,
  mul,
  openRuntime,
  square,
  sub,
  sum,
  watchNumbers,
} from '../../kernels/index.js'
import { capture, checkpoint, detached, overwrite, scope, Tensor, type Runtime } from '../../tensor/index.js'

const reference = await openRuntime({ runtime: 'reference', poison: true })
const wasm = await openRuntime({ runtime: 'wasm', poison: true })
const webgpu = await openRuntime({ runtime: 'webgpu', adapter: 'swiftshader', poison: true })
t.teardown(() => Promise.all([reference, wasm, webgpu].map(runtime => runtime.close())))
const runtimes = [reference, wasm, webgpu]

const vector = (runtime: Runtime, ...values: number[]) => Tensor.from(runtime, values, [values.length])

/** Bytes held after a story that is to leave nothing behind. */
function left(runtime: Runtime, story: () => void): number {
  const before = runtime.statistics().live
  story()
  return runtime.statistics().live - before
}

await t.test('a tensor used in several ways gets the sum of its gradients', async t => {
  for (const runtime of runtimes) {
    const x = vector(runtime, 1, 2, 3)
    const { loss, gradients } = differentiate([x], () => {
      using squares = square(x)
      using cubes = mul(squares, x)
      return sum(add(cubes, squares.reshape([1, 3]).reshape([3])))
    })
    t.same([...(await loss.floats())], [50])
    t.same([...(await gradients[0]!.floats())], [5, 16, 33], `3 x^2 + 2 x on ${runtime.name}`)
  }
})

await t.test('the parts of a loss come with it', async t => {
  const x = vector(wasm, 1, 2, 3)
  const { value, loss, gradients } = differentiate([x], () => {
    const parts = { squares: sum(square(x)), plain: sum(x) }
    return { ...parts, loss: add(parts.squares, parts.plain) }
  })
  const read = async (tensor: Tensor) => (await tensor.floats())[0]
  t.same(await Promise.all([value.squares, value.plain, loss].map(read)), [14, 6, 20])
  t.same([...(await gradients[0]!.floats())], [3, 5, 7])
})

await t.test('what does not depend on the parameters is not recorded', async t => {
  const weight = vector(reference, 1, 2)
  const frozen = vector(reference, 3, 4)
  const x = vector(reference, 5, 6)
  const dispatches = (parameters: Tensor[]) => {
    const before = reference.statistics().dispatches
    differentiate(parameters, () => sum(mul(mul(weight, frozen), x)))
    return reference.statistics().dispatches - before
  }
  t.equal(dispatches([]), 3, 'the forward pass alone')
  t.ok(dispatches([weight]) < dispatches([weight, frozen, x]), 'and less with fewer parameters')
  const { gradients } = differentiate([weight, x], () => sum(detached(() => mul(weight, x))))
  t.same(gradients, [undefined, undefined], 'nor what is detached')
  const { gradients: some } = differentiate([weight, x], () => sum(square(x)))
  t.equal(some[0], undefined, 'a parameter without influence')
  t.same([...(await some[1]!.floats())], [10, 12])
})

await t.test('nothing is left when the gradients are released', t => {
  for (const runtime of runtimes) {
    using x = vector(runtime, 1, 2, 3, 4)
    using weight = Tensor.from(runtime, [1, 2, 3, 4, 5, 6, 7, 8], [2, 4])
    const run = (f: () => Tensor) => scope(() => void differentiate([x, weight], f))
    const model = (x: Tensor) => {
      using rows = linear(x.reshape([1, 4]), weight, { activation: 'silu' })
      return sum(rows)
    }
    t.equal(
      left(runtime, () => run(() => model(x))),
      0,
      runtime.name,
    )
    t.equal(
      left(runtime, () => run(() => checkpoint(model, x))),
      0,
      'with a checkpoint',
    )
    t.equal(
      left(runtime, () => t.throws(() => run(() => square(x)), /backward: not a loss/)),
      0,
      'after an error',
    )
    const fails = (): Tensor => {
      sum(model(x))
      throw new Error('on the way')
    }
    t.equal(
      left(runtime, () => t.throws(() => run(fails), /on the way/)),
      0,
      'or one inside',
    )
    t.equal(
      left(runtime, () => t.throws(() => run(() => checkpoint(fails, x)), /on the way/)),
      0,
      'or in a checkpoint',
    )
  }
  t.end()
})

await t.test('intermediates that the way back does not read are not held', t => {
  const x = Tensor.zeros(wasm, [1024, 64])
  const peak = (steps: number) => {
    wasm.resetPeak()
    const before = wasm.statistics().live
    scope(() => {
      differentiate([x], () => {
        let y = x.share()
        for (let i = 0; i < steps; i++) {
          const next = sub(y, x)
          y.dispose()
          y = next
        }
        return sum(y)
      })
    })
    return wasm.statistics().peak - before
  }
  t.equal(peak(9), peak(4))
  t.end()
})

await t.test('a checkpoint holds its inputs alone, and gives the same gradients', async t => {
  for (const runtime of runtimes) {
    const x = Tensor.from(
      runtime,
      Array.from({ length: 640 }, (_, i) => Math.sin(i)),
      [10, 64],
    )
    const weights = [1, 2, 3].map(seed =>
      Tensor.from(
        runtime,
        Array.from({ length: 4096 }, (_, i) => Math.cos(i * seed) / 8),
        [64, 64],
      ),
    )
    const block = (x: Tensor) => scope(() => weights.reduce((h, w) => linear(h, w, { activation: 'silu' }), x))
    const run = async (inner: (x: Tensor) => Tensor) => {
      const before = runtime.statistics().live
      let recorded = 0
      const { loss, gradients } = differentiate([x, ...weights], () => {
        using y = inner(square(x))
        using z = inner(y)
        recorded = runtime.statistics().live - before
        return sum(z)
      })
      return { recorded, values: await Promise.all([loss, ...gradients].map(tensor => tensor!.floats())) }
    }
    const plain = await run(block)
    const frugal = await run(x => checkpoint(block, x))
    const nested = await run(x => checkpoint((y: Tensor) => checkpoint(block, y), x))
    t.same(frugal.values, plain.values, `${runtime.name}: bit for bit`)
    t.same(nested.values, plain.values, 'nested too')
    t.ok(frugal.recorded < plain.recorded / 2, `${frugal.recorded} bytes instead of ${plain.recorded}`)
  }
})

await t.test('a step is captured once and replayed', async t => {
  for (const runtime of runtimes) {
    const x = vector(runtime, 1, 2)
    const weight = vector(runtime, 3, 4)
    using step = capture(runtime, () => {
      const { loss, gradients } = differentiate([weight], () => sum(square(mul(weight, x))))
      return { loss, gradient: gradients[0]! }
    })
    for (const values of [
      [1, 2],
      [5, 6],
    ]) {
      overwrite(x, values)
      const { loss, gradient } = step.replay()
      const [a, b] = values
      t.same([...(await loss.floats())], [(3 * a) ** 2 + (4 * b) ** 2], runtime.name)
      t.same([...(await gradient.floats())], [6 * a * a, 8 * b * b])
    }
  }
})

await t.test('what the way back reads is not changed in place', t => {
  const x = vector(wasm, 1, 2)
  const change = () => {
    overwrite(x, [3, 4])
    return sum(x)
  }
  const read = () => {
    const y = square(x)
    change()
    return sum(y)
  }
  t.throws(() => differentiate([x], read), /tensor: changed in place while a tape still reads it; try after backward/)
  overwrite(x, [5, 6])
  t.end()
})

await t.test('integers end the way, operations without gradient say so', async t => {
  const x = vector(wasm, 1, 3, 2)
  const { gradients } = differentiate([x], () => sum(add(cast(argmax(x, 0), 'f32'), sum(x))))
  t.same([...(await gradients[0]!.floats())], [1, 1, 1])
  const index = Tensor.from(wasm, [0], [1], 'i32')
  t.throws(() => differentiate([index], () => sum(x)), /cannot be differentiated; expected floats; got i32/)
  t.throws(() => differentiate([x], (async () => sum(x)) as unknown as () => Tensor), /tape: body is asynchronous/)
})

await t.test('weights of half width get gradients of full width', async t => {
  for (const dtype of ['f16', 'bf16'] as const) {
    const weight = Tensor.from(wasm, [1, 2, 3, 4], [2, 2], dtype)
    const x = Tensor.from(wasm, [1, 2], [1, 2])
    const { gradients } = differentiate([weight, x], () => sum(linear(x, weight)))
    t.equal(gradients[0]!.dtype, 'f32')
    t.same([...(await gradients[0]!.floats())], [1, 2, 1, 2])
    t.same([...(await gradients[1]!.floats())], [4, 6])
  }
})

await t.test('a watch names the operation that gave NaN', async t => {
  for (const runtime of runtimes) {
    const x = vector(runtime, 1, 1000)
    using watch = watchNumbers()
    differentiate([x], () => sum(exp(square(x))), { watch })
    await t.rejects(watch.check(), /^unary, \[2\]: gave NaN or infinity; got operation 2 of \d+; try a lower/)
    const inside = () => sum(checkpoint((x: Tensor) => exp(square(x)), x))
    differentiate([x], inside, { watch })
    await t.rejects(watch.check(), /^unary, \[2\]: gave NaN or infinity; got operation 2 of/, 'in a checkpoint as well')
    const y = vector(runtime, 1, 2)
    differentiate([y], () => sum(matmul(y.reshape([1, 2]), y.reshape([2, 1]))), { watch })
    await watch.check()
  }
})
