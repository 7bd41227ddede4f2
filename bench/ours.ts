// Our own side of the bench: runtimes, which shader variants they chose, time on the device.

import { openAdapter, type AdapterWish } from '../tensor/webgpu/adapter.js'
import { openDevice } from '../tensor/webgpu/device.js'
import type { Dispatch, WebGpuKernel } from '../tensor/webgpu/launch.js'
import { WebGpuRuntime } from '../tensor/webgpu/runtime.js'
import { openRuntime } from '../kernels/index.js'
import { shaders } from '../kernels/shaders.generated.js'
import { webgpuKernels } from '../kernels/webgpu.js'
import { ceilingKernels } from './ceiling/ceiling.js'
import type { Runner } from './measure.js'
import { scope, type Runtime, type RuntimeName, type Tensor } from '../tensor/index.js'
import type { Case } from './case.js'
import { shaders as benchShaders } from './shaders.generated.js'

/** The runtimes of one session. `profiled` tells the time of every dispatch, which costs a little, so it has its own device. */
export interface Ours {
  readonly runtime: Runtime
  readonly profiled: WebGpuRuntime | undefined
  /** Where to measure the adapter itself; none for other runtimes. */
  readonly webgpu: WebGpuRuntime | undefined
  /** What the adapter turned out to be, as a wish for others; none where there is no adapter, or none that can be named. */
  readonly kind: AdapterWish | undefined
  /** Dispatches planned since the last call. */
  takeDispatches(): Dispatch[]
  close(): Promise<void>
}

/** Opens what is to be measured. `adapter` is for webgpu. Throws as openRuntime does. */
export async function openOurs(name: RuntimeName, adapter?: AdapterWish): Promise<Ours> {
  let planned: Dispatch[] = []
  const takeDispatches = () => planned.splice(0)
  if (name !== 'webgpu') {
    const runtime = await openRuntime({ runtime: name })
    return {
      runtime,
      profiled: undefined,
      webgpu: undefined,
      kind: undefined,
      takeDispatches,
      close: () => runtime.close(),
    }
  }
  const noting = webgpuKernels.map(({ op, plan }): WebGpuKernel => ({
    op,
    plan: call => {
      const dispatches = plan(call)
      planned = planned.concat(dispatches)
      return dispatches
    },
  }))
  const open = async (kernels: readonly WebGpuKernel[], profile: boolean) => {
    const opened = await openDevice(await openAdapter(adapter))
    return new WebGpuRuntime(opened, [...kernels, ...ceilingKernels], { ...shaders, ...benchShaders }, { profile })
  }
  const runtime = await open(noting, false)
  const profiled = runtime.facts.features.timestamps ? await open(webgpuKernels, true) : undefined
  const close = async () => {
    await runtime.close()
    await profiled?.close()
  }
  const { kind } = runtime.facts
  return {
    runtime,
    profiled,
    webgpu: profiled ?? runtime,
    kind: kind === 'software' ? undefined : kind,
    takeDispatches,
    close,
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

/** Runs the case, releases what it made, and waits at the end of a round. */
export function oursRunner(runtime: Runtime, subject: Case, operands: Readonly<Record<string, Tensor>>): Runner {
  return {
    name: 'ours',
    async round(repeats) {
      const start = performance.now()
      for (let i = 0; i < repeats; i++) scope(() => void subject.run(operands))
      await runtime.sync()
      return (performance.now() - start) / 1e3
    },
  }
}
