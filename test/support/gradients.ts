// What tests of gradients share: torch's numbers, and finite differences with agreement of the runtimes.

import type { Test } from 'tap'
import { calculusOf } from '../../kernels/index.js'
import type { VerifyCase } from '../../pipeline/verify/outcome.js'
import { Generator } from '../../tensor/random.js'
import { scope, sizeOf, Tape, Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
import { close } from './compare.js'
import { goldenCases, onRuntimes } from './kernels.js'
import { assertOutcomes } from './verify.js'

/** The gradients of `f` with respect to tensors, for the gradient of what follows. */
function gradientsOf(leaves: readonly Tensor[], f: () => Tensor, upstream: (out: Tensor) => Tensor) {
  using tape = new Tape(leaves, calculusOf())
  const out = tape.record(f)
  return { out, gradients: tape.backward(out, upstream(out)) }
}

/** Compares with the golden gradients of all cases of the named operators. */
export function gradientsAgreeWithTorch(t: Test, runtimes: readonly Runtime[], ...names: string[]): Promise<void> {
  return onRuntimes(t, runtimes, async (t, runtime) => {
    const outcomes: VerifyCase[] = []
    for (const item of goldenCases(...names)) {
      const found = await item.compareGradients(runtime)
      if (!found) t.fail(`${item.name}: an operation on the way has no gradient`)
      outcomes.push(...(found ?? []))
    }
    await assertOutcomes(t, outcomes)
  })
}

/** A differentiable function and the operands that it is tried on. */
export interface GradientCase {
  readonly name: string
  /** Of the operands. */
  readonly shapes: readonly Shape[]
  /** Standard normal (the default), from 0.5 to 1.5, or so far apart that a step changes no order. */
  readonly values?: 'normal' | 'positive' | 'apart'
  /** Of the operands; f32 if not given. */
  readonly dtypes?: readonly (DType | undefined)[]
  readonly f: (...operands: Tensor[]) => Tensor
  /** Of finite differences; default 2e-3. */
  readonly tolerance?: number
}

/**
 * Gradients by the plain loops agree with finite differences along a random direction of each operand, and those of the
 * other runtimes with them.
 */
export async function gradientsAgree(
  t: Test,
  reference: Runtime,
  others: readonly Runtime[],
  cases: readonly GradientCase[],
): Promise<void> {
  for (const [seed, { name, shapes, values = 'normal', dtypes = [], f, tolerance = 2e-3 }] of cases.entries()) {
    const random = new Generator(seed)
    const draw = (shape: Shape): Float32Array => {
      const size = sizeOf(shape)
      if (values === 'normal') return random.randn(size)
      if (values === 'positive') return random.rand(size).map(x => x + 0.5)
      return Float32Array.from(random.randperm(size), i => (i - size / 2 + 0.25) / 8)
    }
    const contents = shapes.map(draw)
    const directions = shapes.map(shape => random.randn(sizeOf(shape)))
    const operandsOn = (runtime: Runtime, data = contents) =>
      data.map((elements, i) => Tensor.from(runtime, [...elements], shapes[i], dtypes[i]))
    let weights: Float32Array | undefined
    const upstream = ({ runtime, shape, size }: Tensor) =>
      Tensor.from(runtime, (weights ??= new Generator(100 + seed).randn(size)), shape)
    const run = async (runtime: Runtime) => {
      const leaves = operandsOn(runtime)
      const { gradients } = scope(() => gradientsOf(leaves, () => f(...leaves), upstream))
      return Promise.all(gradients.map(gradient => gradient!.floats()))
    }
    const loss = async (data: Float32Array[]) => {
      const out = await f(...operandsOn(reference, data)).floats()
      return out.reduce((total, value, i) => total + value * weights![i], 0)
    }
    const expected = await run(reference)
    const step = 1e-2
    for (const [i, direction] of directions.entries()) {
      if (dtypes[i] && dtypes[i] !== 'f32') continue // rounds the steps away
      const moved = (by: number) =>
        contents.with(
          i,
          contents[i].map((x, j) => x + by * direction[j]),
        )
      const slope = ((await loss(moved(step))) - (await loss(moved(-step)))) / (2 * step)
      const predicted = expected[i].reduce((total, value, j) => total + value * direction[j], 0)
      const size = Math.hypot(...expected[i]) + 1e-6
      t.ok(
        Math.abs(slope - predicted) <= tolerance * size,
        `${name}, operand ${i}: ${predicted} by the gradient, ${slope} by differences`,
      )
    }
    for (const runtime of others)
      for (const [i, actual] of (await run(runtime)).entries())
        close(t, actual, expected[i], 2e-5, `${name} on ${runtime.name}, operand ${i}`)
  }
}
