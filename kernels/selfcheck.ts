// Does a runtime compute what the plain loops compute? Every operation, in less than a minute on a software adapter.

import { ReferenceRuntime } from '../tensor/reference/runtime.js'
import { Generator, scope, sizeOf, Tensor, type Runtime } from '../tensor/index.js'
import { relativeError } from './common/relative-error.js'
import { referenceKernels } from './reference.js'
import { selfCheckCases, type SelfCheckOperands, type SelfCheckCase } from './selfcheck-cases.js'
import { webgpuKernels } from './webgpu.js'

/** The outcome of one case. */
export interface SelfCheckResult {
  readonly op: string
  readonly about: string
  readonly ok: boolean
  /**
   * ||a - b|| / ||b|| of the runtime's result a and the plain loops' b, the largest of all outputs; infinite without.
   */
  readonly error: number
  readonly tolerance: number
  /** Why there is no result. */
  readonly message?: string
}

/**
 * Runs every case on the runtime and in plain loops, one after the other, and tells of each. An operation of the kernel
 * tables that no case has run comes as a failure at the end.
 */
export async function* selfCheck(
  runtime: Runtime,
  cases: readonly SelfCheckCase[] = selfCheckCases,
): AsyncGenerator<SelfCheckResult, void, undefined> {
  const seen = new Set<string>()
  const recording = referenceKernels.map(({ op, run }) => ({
    op,
    run: (...call: Parameters<typeof run>) => {
      seen.add(op.name)
      run(...call)
    },
  }))
  const reference = new ReferenceRuntime(recording)
  for (const [seed, item] of cases.entries()) yield await check(item, seed, reference, runtime)
  const names = new Set([...referenceKernels, ...webgpuKernels].map(({ op }) => op.name))
  for (const op of names)
    if (!seen.has(op))
      yield { op, about: 'no case', ok: false, error: Infinity, tolerance: 0, message: 'never checked' }
}

async function check(
  item: SelfCheckCase,
  seed: number,
  reference: Runtime,
  runtime: Runtime,
): Promise<SelfCheckResult> {
  const { op, about, tolerance } = item
  try {
    const expected = await compute(item, seed, reference)
    const actual = await compute(item, seed, runtime)
    const error = Math.max(...expected.map((output, i) => relativeError(actual[i], output)))
    return { op, about, ok: error <= tolerance, error, tolerance }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { op, about, ok: false, error: Infinity, tolerance, message }
  }
}

async function compute(item: SelfCheckCase, seed: number, runtime: Runtime): Promise<Float32Array[]> {
  const outputs = scope(() => [item.run(operandsOn(runtime, seed))].flat())
  try {
    return await Promise.all(outputs.map(output => output.floats()))
  } finally {
    for (const output of outputs) output.dispose()
  }
}

function operandsOn(runtime: Runtime, seed: number): SelfCheckOperands {
  const random = new Generator(seed)
  return {
    normal: (shape, dtype = 'f32') => Tensor.from(runtime, [...random.randn(sizeOf(shape))], shape, dtype),
    integers: (shape, below) => Tensor.from(runtime, random.randint(0, below, sizeOf(shape)), shape, 'i32'),
  }
}
