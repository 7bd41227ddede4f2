// Launches adamw.wgsl and accumulate.wgsl over runs of elements.

import { sizeOf, type StoredTensor } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { webgpuKernel, windowElements, windowOf, type Dispatch, type Window } from '../../tensor/webgpu/launch.js'
import { runsOf } from '../common/rows.js'
import { streamOf } from '../common/workgroup.js'
import { accumulateOp } from './accumulate.js'
import { adamwOp } from './adamw.js'

/** Dispatches over tensors of one size, in runs whose windows all fit; `bases` are the uniforms `<name>_base`. */
function runs(
  tensors: Readonly<Record<string, StoredTensor>>,
  facts: AdapterFacts,
  dispatch: (
    bindings: Record<string, Window>,
    bases: Record<string, number>,
  ) => Pick<Dispatch, 'shader' | 'defines' | 'bindings' | 'uniforms'>,
): Dispatch[] {
  const entries = Object.entries(tensors)
  const size = sizeOf(entries[0][1].shape)
  const { workgroup, each } = streamOf(facts)
  // Runs of whole groups of four, so that every run begins with a word of its own.
  const most = 4 * Math.floor(Math.min(...entries.map(([, { dtype }]) => windowElements(dtype, facts))) / 4)
  return runsOf(size, most).map(({ start, count }) => {
    const windows = entries.map(([name, tensor]) => ({ name, ...windowOf(tensor, start, count, facts) }))
    const { shader, defines, bindings, uniforms } = dispatch(
      Object.fromEntries(windows.map(({ name, window }) => [name, window])),
      Object.fromEntries(windows.map(({ name, base }) => [`${name}_base`, base])),
    )
    return {
      shader,
      defines: { ...defines, WORKGROUP: workgroup, EACH: each },
      bindings,
      uniforms: { ...uniforms, groups: Math.ceil(count / 4) },
      workgroups: Math.ceil(count / (4 * workgroup * each)),
    }
  })
}

export const adamwWebGpu = webgpuKernel(
  adamwOp,
  ({ inputs: { gradient, rates, scale }, outputs: [parameter, mean, square], params, facts }) => {
    const { beta1, beta2, eps, weightDecay: weight_decay } = params
    const constants = { beta1, beta2, rest1: 1 - beta1, rest2: 1 - beta2, eps, weight_decay }
    return runs({ gradient, parameter, mean, square }, facts, (bindings, bases) => ({
      shader: 'optim/adamw.wgsl',
      defines: { SCALED: scale !== undefined },
      bindings: { ...bindings, rates, ...(scale ? { scale } : {}) },
      uniforms: { ...bases, ...constants },
    }))
  },
)

export const accumulateWebGpu = webgpuKernel(accumulateOp, ({ inputs: { x, shares }, outputs: [sum], facts }) =>
  runs({ x, sum }, facts, (bindings, bases) => ({
    shader: 'optim/accumulate.wgsl',
    defines: { X_FORMAT: `${x.dtype}x4` },
    bindings: { ...bindings, shares },
    uniforms: bases,
  })),
)
