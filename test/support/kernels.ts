// What kernel tests share: runtimes with poisoned memory, golden operator cases, random operands.

import { readFileSync } from 'node:fs'
import tap, { type Test } from 'tap'
import { openRuntime, type OpenOptions } from '../../kernels/index.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { Generator } from '../../tensor/random.js'
import { sizeOf, Tensor, type DType, type Runtime, type Shape } from '../../tensor/index.js'
import { type OpsCase, parseOps } from '../../pipeline/verify/ops-case.js'
import { golden } from './paths.js'
import { assertOutcomes } from './verify.js'

// The embedded adapter is there on every test machine; REVISION_ADAPTER chooses another for the whole run.
const adapter = process.env.REVISION_ADAPTER ? undefined : 'swiftshader'

const opened: Runtime[] = []
tap.teardown(() => Promise.all(opened.map(runtime => runtime.close())))

/** The reference runtime, its memory poisoned. */
export async function referenceRuntime(): Promise<Runtime> {
  const runtime = await openRuntime({ runtime: 'reference', poison: true })
  opened.push(runtime)
  return runtime
}

/** The WebGPU runtime on the test adapter, its memory poisoned. `limits` shrinks what kernels plan with. */
export async function webgpuRuntime(
  options: Pick<OpenOptions, 'limits' | 'maxBytes' | 'profile' | 'tune'> = {},
): Promise<Runtime> {
  const runtime = await openRuntime({ runtime: 'webgpu', adapter, poison: true, ...options })
  opened.push(runtime)
  return runtime
}

/** The WebAssembly runtime, its memory poisoned; threads share the smallest of work. */
export async function wasmRuntime(options: Pick<OpenOptions, 'threads' | 'relaxed'> = {}): Promise<Runtime> {
  const runtime = await openRuntime({ runtime: 'wasm', poison: true, briefBytes: 0, ...options })
  opened.push(runtime)
  return runtime
}

/** Limits small enough that small tensors take the chunked paths: bindings of 16 KiB, grids of 8 workgroups an axis. */
export const shrunkLimits: NonNullable<OpenOptions['limits']> = {
  maxStorageBufferBindingSize: 16384,
  maxComputeWorkgroupsPerDimension: 8,
}

const opsFile = await openSafetensors(golden('ops.safetensors'))
tap.teardown(() => opsFile.close())
const ops = parseOps(
  'ops.json',
  JSON.parse(readFileSync(golden('ops.json'), 'utf8')) as Record<string, unknown>,
  opsFile,
)

/** The golden cases of the named operators; throws when one has none, since a test over no cases could not fail. */
export function goldenCases(...names: string[]): OpsCase[] {
  for (const name of names) if (!ops.some(({ op }) => op === name)) throw new Error(`no golden case of ${name}`)
  return ops.filter(({ op }) => names.includes(op))
}

/** Runs the golden cases of the named operators on several runtimes, to verify's tolerance or a stricter one. */
export function agreeWithTorch(
  t: Test,
  runtimes: readonly Runtime[],
  names: readonly string[],
  tolerance = Infinity,
): Promise<void> {
  return onRuntimes(t, runtimes, async (t, runtime) => {
    for (const item of goldenCases(...names))
      await assertOutcomes(t, await item.compare(runtime), outcome => Math.min(outcome.tolerance, tolerance))
  })
}

/** Deterministic standard normal operands: the same numbers on every runtime for the same seed and order of calls. */
export class Operands {
  readonly #random: Generator

  constructor(
    readonly runtime: Runtime,
    seed: number,
  ) {
    this.#random = new Generator(seed)
  }

  normal(shape: Shape, dtype: DType = 'f32'): Tensor {
    const values = this.#random.randn(sizeOf(shape))
    return dtype === 'f32'
      ? Tensor.from(this.runtime, values, shape)
      : Tensor.from(this.runtime, Array.from(values), shape, dtype)
  }
}

/** Runs the same story on several runtimes, one sub-test each. */
export async function onRuntimes(
  t: Test,
  runtimes: readonly Runtime[],
  story: (t: Test, runtime: Runtime) => Promise<void>,
): Promise<void> {
  for (const runtime of runtimes) await t.test(runtime.name, sub => story(sub, runtime))
}
