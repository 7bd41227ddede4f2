// An adapter's ceilings: multiply-adds and bytes copied in a second, by shaders that do nothing else.

import { execute, scope, sizeOf, Tensor, type Op } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { webgpuKernel } from '../../tensor/webgpu/launch.js'
import type { WebGpuRuntime } from '../../tensor/webgpu/runtime.js'
import { workgroupOf } from '../../kernels/common/workgroup.js'
import { timeRun } from '../device-time.js'
import type { Ceiling } from './ceiling.js'

// Sixteen multiply-adds on vec4 a step, as fma.wgsl is written.
const flopsPerStep = 16 * 4 * 2

const fmaOp: Op<{ factors: unknown }, { count: number; steps: number }> = {
  name: 'fma ceiling',
  infer: (_inputs, { count }) => [{ shape: [count, 4], dtype: 'f32' }],
  flops: (_inputs, _outputs, { count, steps }) => count * steps * flopsPerStep,
}

const copyOp: Op<{ source: unknown }, { each: number }> = {
  name: 'copy ceiling',
  infer: ({ source }) => [source],
  flops: () => 0,
}

/** Kernels of both, for a runtime that is to be measured. */
export const ceilingKernels = [
  webgpuKernel(fmaOp, ({ inputs, outputs, params, facts }) => [
    {
      shader: 'ceiling/fma.wgsl',
      defines: { WORKGROUP: workgroupOf(facts) },
      bindings: { factors: inputs.factors, out: outputs[0] },
      uniforms: { ...params },
      workgroups: Math.ceil(params.count / workgroupOf(facts)),
    },
  ]),
  webgpuKernel(copyOp, ({ inputs, outputs, params, facts }) => {
    const count = sizeOf(inputs.source.shape) / 4
    const workgroup = workgroupOf(facts)
    return [
      {
        shader: 'ceiling/copy.wgsl',
        defines: { WORKGROUP: workgroup, EACH: params.each },
        bindings: { source: inputs.source, out: outputs[0] },
        uniforms: { count },
        workgroups: Math.ceil(count / workgroup / params.each),
      },
    ]
  }),
]

const invocations = ({ isFallback }: AdapterFacts) => (isFallback ? 2 ** 12 : 2 ** 20)
// A GPU wants many invocations with one copy each, a driver on the CPU few with more.
const copiesEach = 16
// Beyond every cache.
const copyBytes = ({ isFallback, limits }: AdapterFacts) =>
  Math.min(limits.maxStorageBufferBindingSize, isFallback ? 2 ** 26 : 2 ** 29)

/** The best of a few runs of each shader. */
export async function adapterCeiling(runtime: WebGpuRuntime): Promise<Ceiling> {
  using factors = Tensor.from(runtime, [0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1], [2, 4])
  const count = invocations(runtime.facts)
  const fma = (steps: number) => timeRun(runtime, () => scope(() => void execute(fmaOp, { factors }, { count, steps })))
  let steps = 64
  // Long enough that the launch does not count, short enough for a watchdog.
  while ((await fma(steps)) < 0.02 && steps < 2 ** 20) steps *= 2
  using source = Tensor.allocate(runtime, [copyBytes(runtime.facts) / 4], 'f32', 'copy source')
  const copy = (each: number) => timeRun(runtime, () => scope(() => void execute(copyOp, { source }, { each })))
  const best = async (run: () => Promise<number>) => {
    await run() // compiles
    return Math.min(await run(), await run(), await run())
  }
  const fmaSeconds = await best(() => fma(steps))
  const copySeconds = Math.min(await best(() => copy(1)), await best(() => copy(copiesEach)))
  return {
    gflops: (count * steps * flopsPerStep) / fmaSeconds / 1e9,
    gbs: (2 * source.bytes) / copySeconds / 1e9,
  }
}
