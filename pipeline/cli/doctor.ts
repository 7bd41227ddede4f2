// `revision doctor`: what would be used on this machine and why, and whether every kernel computes what it should.

import type { CommandModule } from 'yargs'
import { selfCheck, type SelfCheckResult } from '../../kernels/selfcheck.js'
import { WasmRuntime, type Runtime } from '../../tensor/index.js'
import { openAdapter, type AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { WebGpuRuntime } from '../../tensor/webgpu/runtime.js'
import { oneLine } from './exit.js'
import { jsonText } from './json.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'

interface DoctorArguments extends RuntimeArguments {
  json?: boolean
}

/** What doctor finds out before it checks anything. */
interface Findings {
  node: string
  system: string
  /** `fallbacks` are operations that the runtime leaves to the plain loops. */
  runtime: { name: string; description: string; why: string; fallbacks?: readonly string[] }
  adapter?: AdapterFacts & { why: string }
}

/** `onEnd` learns whether any check failed. */
export function doctorCommand(onEnd: (failed: boolean) => void): CommandModule<object, DoctorArguments> {
  return {
    command: 'doctor',
    describe: 'Say what this machine offers, and check every kernel on it',
    builder: program =>
      program.options({ json: { type: 'boolean', describe: 'Print one JSON object' }, ...runtimeOptions }) as never,
    handler: async args => onEnd(await run(args)),
  }
}

async function run(args: DoctorArguments): Promise<boolean> {
  const runtime = await openFor(args, { quiet: true })
  try {
    const findings = await examine(runtime, args)
    if (!args.json) printFindings(findings)
    const checks: SelfCheckResult[] = []
    for await (const result of selfCheck(runtime)) {
      checks.push(result)
      if (!args.json) printCheck(result)
    }
    const failed = checks.filter(({ ok }) => !ok).length
    if (args.json) console.log(jsonText({ ...findings, checks, ok: failed === 0 }, 2))
    else console.log(failed === 0 ? `all ${checks.length} checks pass` : `${failed} of ${checks.length} checks FAIL`)
    return failed > 0
  } finally {
    await runtime.close()
  }
}

async function examine(runtime: Runtime, args: DoctorArguments): Promise<Findings> {
  const findings: Findings = {
    node: process.version,
    system: `${process.platform} ${process.arch}`,
    runtime: { name: runtime.name, description: runtime.description, why: whyRuntime(runtime, args) },
  }
  if (runtime instanceof WasmRuntime) findings.runtime.fallbacks = runtime.fallbacks
  if (runtime instanceof WebGpuRuntime) {
    const { why } = await openAdapter(args.adapter, { quiet: true })
    findings.adapter = { ...runtime.facts, why }
  }
  return findings
}

function whyRuntime(runtime: Runtime, args: DoctorArguments): string {
  if (args.runtime !== undefined) return '--runtime asks for it'
  if (process.env.REVISION_RUNTIME) return 'REVISION_RUNTIME asks for it'
  if (args.adapter !== undefined) return '--adapter asks for one of its adapters'
  if (process.env.REVISION_ADAPTER) return 'REVISION_ADAPTER asks for one of its adapters'
  return runtime.name === 'webgpu' ? 'a GPU comes first' : 'there is no GPU'
}

function printFindings({ node, system, runtime, adapter }: Findings): void {
  console.log(`node     ${node}, ${system}`)
  console.log(`runtime  ${runtime.name}: ${oneLine(runtime.description)} (${runtime.why})`)
  if (runtime.fallbacks) console.log(`loops    ${runtime.fallbacks.join(', ') || 'none'} left to the plain loops`)
  if (!adapter) return
  const { kind, why, features, subgroupMinSize, subgroupMaxSize, subgroupMatrixConfigs, limits } = adapter
  console.log(`adapter  ${kind} (${why})`)
  const present = Object.entries(features).filter(([, there]) => there)
  const lanes = features.subgroups ? `; subgroups of ${subgroupMinSize} to ${subgroupMaxSize} lanes` : ''
  console.log(`features ${present.map(([name]) => name).join(', ') || 'none'}${lanes}`)
  for (const { M, N, K, componentType, resultComponentType } of subgroupMatrixConfigs)
    console.log(`matrix   ${M} x ${N} x ${K}, ${componentType} to ${resultComponentType}`)
  for (const [name, value] of Object.entries(limits)) console.log(`limit    ${name} ${value}`)
}

function printCheck({ op, about, ok, error, tolerance, message }: SelfCheckResult): void {
  const detail = message === undefined ? `error ${error.toExponential(1)}, allowed ${tolerance}` : oneLine(message)
  console.log(`${ok ? 'pass' : 'FAIL'}     ${op}: ${about} (${detail})`)
}
