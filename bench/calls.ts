// `npm run bench -- --calls`: every operation on few, some and many elements, on `wasm` and in the plain loops, by
// turns: what a call costs beside the arithmetic.

import { parseArgs } from 'node:util'
import { openRuntime } from '../kernels/index.js'
import { openCpu } from '../kernels/open.js'
import { scope, type Runtime, type Tensor } from '../tensor/index.js'
import { calls, operandsOn, type Call, type CallSize } from './cases/calls.js'
import { oursRunner } from './ours.js'
import { runProgram } from './program.js'
import { save } from './save.js'

const usage = `npm run bench -- --calls [options]
  --threads N  of wasm (default: one for each core)
  --json FILE  write the figures`

const sizes: readonly CallSize[] = [
  { name: 'tiny', n: 2, c: 2 },
  { name: 'small', n: 8, c: 16 },
  { name: 'middle', n: 24, c: 64 },
]

const rounds = 40
/** What takes longer has fewer rounds. */
const mostSeconds = 0.5

/** Microseconds of a call: the best of rounds by turns, each of about a millisecond. The first ones warm up. */
async function measure(runtimes: readonly Runtime[], call: Call, size: CallSize): Promise<number[]> {
  const made: Tensor[] = []
  const runners = runtimes.map(runtime => {
    const run = call(operandsOn(runtime, made), size)
    return oursRunner(runtime.name, runtime, () => scope(() => void run()))
  })
  const best = runners.map(() => Infinity)
  const repeats = runners.map(() => 1)
  const spent = runners.map(() => 0)
  for (let round = 0; round < rounds; round++)
    for (const [i, runner] of runners.entries()) {
      if (spent[i] > mostSeconds) continue
      const took = await runner.round(repeats[i])
      const seconds = took / repeats[i]
      spent[i] += took
      best[i] = Math.min(best[i], seconds)
      repeats[i] = Math.min(2000, Math.max(1, Math.round(1e-3 / seconds)))
    }
  for (const tensor of made) tensor.dispose()
  return best.map(seconds => 1e6 * seconds)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      calls: { type: 'boolean' },
      help: { type: 'boolean', short: 'h', default: false },
      threads: { type: 'string' },
      json: { type: 'string' },
    },
  })
  if (values.help) return console.log(usage)
  const threads = values.threads === undefined ? undefined : Number(values.threads)
  const wasm = await openCpu({ threads })
  const loops = await openRuntime({ runtime: 'reference' })
  const rows: { op: string; size: string; wasm_us: number; loops_us: number }[] = []
  console.log(`${wasm.description}; microseconds of a call, wasm / plain loops`)
  console.log(['operation'.padEnd(20), ...sizes.map(({ name }) => name.padStart(20))].join(''))
  for (const [op, call] of Object.entries(calls)) {
    const cells: string[] = []
    for (const size of sizes) {
      const [ours, theirs] = await measure([wasm, loops], call, size)
      rows.push({ op, size: size.name, wasm_us: ours, loops_us: theirs })
      cells.push(`${ours.toFixed(1)} / ${theirs.toFixed(1)}${ours > theirs ? ' *' : '  '}`.padStart(20))
    }
    console.log(op.padEnd(20) + cells.join(''))
  }
  await wasm.close()
  if (values.json === undefined) return
  const report = { adapter: wasm.description, date: new Date().toISOString(), sizes, rows }
  await save(values.json, `${JSON.stringify(report, null, 1)}\n`)
}

await runProgram(main)
