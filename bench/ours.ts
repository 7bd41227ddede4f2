// Our own side of the bench: runtimes, which shader variants they chose, time on the device.

import { openAdapter, type AdapterWish } from '../tensor/webgpu/adapter.js'
import { openDevice } from '../tensor/webgpu/device.js'
import type { Dispatch, Tune, WebGpuKernel } from '../tensor/webgpu/launch.js'
import { WebGpuRuntime } from '../tensor/webgpu/runtime.js'
import { openRuntime, type Extension } from '../kernels/index.js'
import { openCpu } from '../kernels/open.js'
import { shaders } from '../kernels/shaders.generated.js'
import { webgpuKernels } from '../kernels/webgpu.js'
import type { Ceiling } from './ceiling/ceiling.js'
import { threadsCeiling } from './ceiling/wasm.js'
import { adapterCeiling, ceilingKernels } from './ceiling/webgpu.js'
import type { Runner } from './measure.js'
import type { Runtime, RuntimeName } from '../tensor/index.js'
import { shaders as benchShaders } from './shaders.generated.js'
import { VariantSwitch } from './variants.js'

/** The runtimes of one session. */
export interface Ours {
  readonly runtime: Runtime
  /** Tells the time of every dispatch, which costs a little: so it has its own device. */
  readonly profiled?: WebGpuRuntime
  /** The same on one thread, where `runtime` has more. */
  readonly single?: Runtime
  /** How many threads it has, where that is known. */
  readonly threads?: number
  /**
   * What the adapter turned out to be, as a wish for others; none where there is no adapter, or none that can be named.
   */
  readonly kind?: AdapterWish
  /** Chooses between the variants named. */
  readonly variants?: { readonly names: readonly string[]; readonly choose: VariantSwitch }
  /** Measures what the adapter can do, where that is known. */
  measureCeiling?(): Promise<Ceiling>
  /** What one thread can do, where `single` is measured. */
  measureSingleCeiling?(): Promise<Ceiling>
  /** Dispatches planned since the last call. */
  takeDispatches(): Dispatch[]
  close(): Promise<void>
}

export interface OursOptions {
  /** For webgpu. */
  readonly adapter?: AdapterWish
  /** For webgpu: variants to take instead of those of the rules. */
  readonly tune?: Tune
  /** For wasm; default: as many as there are cores. */
  readonly threads?: number
  /** Operations to measure that are not of the house. */
  readonly extension?: Extension
}

/** Opens what is to be measured. Throws as openRuntime does. */
export async function openOurs(name: RuntimeName, options: OursOptions = {}): Promise<Ours> {
  if (name === 'webgpu') return openOnAdapter(options)
  return name === 'wasm' ? openOnThreads(options) : openLoops(options)
}

async function openLoops({ extension }: OursOptions): Promise<Ours> {
  const runtime = await openRuntime({ runtime: 'reference', extension })
  return { runtime, takeDispatches: () => [], close: () => runtime.close() }
}

async function openOnThreads({ threads, extension }: OursOptions): Promise<Ours> {
  const runtime = await openCpu({ threads, extension })
  const single = runtime.threads > 1 ? await openCpu({ threads: 1, extension }) : undefined
  const close = async () => {
    await runtime.close()
    await single?.close()
  }
  return {
    runtime,
    single,
    threads: runtime.threads,
    measureCeiling: () => threadsCeiling(runtime.threads),
    measureSingleCeiling: single && (() => threadsCeiling(1)),
    takeDispatches: () => [],
    close,
  }
}

async function openOnAdapter({ adapter, tune, extension }: OursOptions): Promise<Ours> {
  const choose = new VariantSwitch(tune)
  const kernels = [...webgpuKernels, ...(extension?.webgpu ?? [])]
  let planned: Dispatch[] = []
  const noting = kernels.map(({ op, plan }): WebGpuKernel => ({
    op,
    plan: call => {
      const dispatches = plan(call)
      planned = planned.concat(dispatches)
      return dispatches
    },
  }))
  const texts = { ...shaders, ...extension?.shaders, ...benchShaders }
  const open = async (kernels: readonly WebGpuKernel[], profile: boolean) =>
    new WebGpuRuntime(await openDevice(await openAdapter(adapter)), [...kernels, ...ceilingKernels], texts, {
      profile,
      tune: choose.tune,
    })
  const runtime = await open(noting, false)
  const profiled = runtime.facts.features.timestamps ? await open(kernels, true) : undefined
  const { kind } = runtime.facts
  return {
    runtime,
    profiled,
    kind: kind === 'software' ? undefined : kind,
    variants: { names: VariantSwitch.able(runtime), choose },
    measureCeiling: () => adapterCeiling(profiled ?? runtime),
    takeDispatches: () => planned.splice(0),
    async close() {
      await runtime.close()
      await profiled?.close()
    },
  }
}

/** Shader files with what was decided when they were planned, each once, in order. */
export function variantOf(dispatches: readonly Dispatch[]): string {
  const texts = dispatches.map(({ shader, defines = {} }) => {
    const decided = Object.entries(defines)
      .filter(([, value]) => value !== false && value !== '')
      .map(([name, value]) => (value === true ? name : `${name}=${value}`))
    return [shader, ...decided].join(' ')
  })
  return [...new Set(texts)].join('; ')
}

/** Records run after run, and waits at the end of a round. */
export function oursRunner(name: string, runtime: Runtime, run: () => void): Runner {
  return {
    name,
    async round(repeats) {
      const start = performance.now()
      for (let i = 0; i < repeats; i++) run()
      await runtime.sync()
      return (performance.now() - start) / 1e3
    },
  }
}
