// Time on the device, where it can be told.

import type { WebGpuRuntime } from '../tensor/webgpu/runtime.js'

/**
 * Seconds of one run: on the device's clock if the runtime was opened with `profile`, else from start to end of the
 * wait.
 */
export async function timeRun(runtime: WebGpuRuntime, run: () => void): Promise<number> {
  await runtime.timings()
  const start = performance.now()
  run()
  await runtime.sync()
  const elapsed = (performance.now() - start) / 1e3
  const timings = await runtime.timings()
  if (timings.length === 0) return elapsed
  return timings.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0) / 1e9
}
