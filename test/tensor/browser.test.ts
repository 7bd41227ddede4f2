// The runtimes in a real browser, from the same modules as in Node, without a bundler: WebAssembly in memory shared by
// threads, WebAssembly on one thread where a page may not share memory, and WebGPU. Every operation is compared there
// with its plain loops.

import t, { type Test } from 'tap'
import type { SelfCheckResult } from '../../kernels/index.js'
import { findBrowser, inBrowser } from '../support/browser.js'

const found = await findBrowser()
const skip = 'obstacle' in found && found.obstacle

interface Findings {
  isolated: boolean
  name: string
  description: string
  threads?: number
  checks: SelfCheckResult[]
  sums: number[]
}

/** Opens a runtime as a page would, checks all operations and runs a few by hand. */
const page = (options: string) => `
  const { openRuntime, selfCheck, linear, silu } = await import('/dist/kernels/index.js')
  const { capture, overwrite, scope, Tensor } = await import('/dist/tensor/index.js')
  const runtime = await openRuntime(${options})
  const { name, description, threads } = runtime
  const checks = []
  for await (const check of selfCheck(runtime)) checks.push(check)
  const x = Tensor.from(runtime, [1, 2, 3, 4], [2, 2])
  const step = capture(runtime, () => linear(x, x))
  const sums = []
  for (let i = 0; i < 3; i++) {
    overwrite(x, [i, i, i, i])
    sums.push((await step.replay().data())[3])
  }
  await runtime.close()
  return { isolated: crossOriginIsolated, name, description, threads, checks, sums }`

async function check(t: Test, isolated: boolean, options: string, wanted: object): Promise<void> {
  if ('obstacle' in found) return
  const result = (await inBrowser(found.browser, page(options), isolated)) as Findings
  t.match(result, { isolated, sums: [0, 2, 8], ...wanted })
  t.ok(result.checks?.length > 20, 'every operation is checked')
  t.same(
    result.checks?.filter(({ ok }) => !ok),
    [],
  )
  t.comment(result.description)
}

await t.test('WebAssembly with threads, in a page that is cross-origin isolated', { skip }, t =>
  check(t, true, "{ runtime: 'wasm', threads: 2 }", { name: 'wasm', threads: 2 }),
)

await t.test('WebAssembly on one thread, in any page', { skip }, t =>
  check(t, false, "{ runtime: 'wasm' }", { name: 'wasm', threads: 0 }),
)

await t.test('WebGPU, on a software adapter', { skip }, t =>
  check(t, true, "{ runtime: 'webgpu', adapter: 'swiftshader' }", { name: 'webgpu', description: /swiftshader/ }),
)
