// The processor's ceilings for WebAssembly: multiply-adds and bytes copied in a second, by the threads of the runtime.

import { execute, openWasm, scope, Tensor, wasmKernel, type Op, type WasmRuntime } from '../../tensor/index.js'
import { wasmModule } from '../wasm.generated.js'
import type { Ceiling } from './ceiling.js'

// As fma.as.ts is written.
const flopsPerStep = 10 * 4 * 2

const fmaOp: Op<{ factors: unknown }, { units: number; steps: number }> = {
  name: 'fma ceiling',
  infer: (_inputs, { units }) => [{ shape: [units, 4], dtype: 'f32' }],
  flops: (_inputs, _outputs, { units, steps }) => units * steps * flopsPerStep,
}

const fmaWasm = wasmKernel(fmaOp, ({ inputs, outputs, params: { units, steps } }) => [
  { kernel: 'fmaCeiling', params: { factors: inputs.factors, out: outputs[0], steps }, units },
])

const units = 256
const steps = 30_000
// Together beyond the caches of large servers, which hold some hundred MiB.
const copyBytes = 2 ** 29

async function best(runtime: WasmRuntime, run: () => void): Promise<number> {
  const times: number[] = []
  // The first runs are the baseline compiler's.
  for (let i = 0; i < 6; i++) {
    const start = performance.now()
    run()
    await runtime.sync()
    times.push((performance.now() - start) / 1e3)
  }
  return Math.min(...times)
}

/** The best of a few runs on so many threads. */
export async function threadsCeiling(threads: number): Promise<Ceiling> {
  // Much work on few bytes: it must not be taken for brief.
  const options = { threads, briefBytes: 0 }
  const runtime = await openWasm({ source: wasmModule, kernels: [fmaWasm], references: [] }, options)
  try {
    using factors = Tensor.from(runtime, [0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1], [2, 4])
    const fmaSeconds = await best(runtime, () => scope(() => void execute(fmaOp, { factors }, { units, steps })))
    const source = runtime.allocate(copyBytes, 'copy source')
    const target = runtime.allocate(copyBytes, 'copy target')
    const copySeconds = await best(runtime, () => runtime.copy(source, target))
    return {
      gflops: (units * steps * flopsPerStep) / fmaSeconds / 1e9,
      gbs: (2 * copyBytes) / copySeconds / 1e9,
    }
  } finally {
    await runtime.close()
  }
}
