// `npm run bench -- --real DIR`: a checkpoint of the real size loaded and run once, for what no small case shows: how
// long loading takes, what it takes of the host beside the weights, and a forward pass of the whole UNet.

import { parseArgs } from 'node:util'
import { openRuntime } from '../kernels/index.js'
import { openModelFolder, UNetSpatioTemporalConditionModel } from '../models/index.js'
import { Generator, runtimeNames, Tensor, UsageError, type Runtime } from '../tensor/index.js'
import { parseWish } from '../tensor/webgpu/adapter.js'
import { runProgram } from './program.js'
import { save } from './save.js'

const usage = `npm run bench -- --real DIR [options]
  --real DIR      a model in diffusers' layout; \`revision random-checkpoint\` makes one
  --runtime NAME  ${runtimeNames.join(', ')} (default: as revision generate)
  --adapter NAME  for webgpu: hardware, lavapipe or swiftshader
  --frames N      of the forward pass (default: 2)
  --size WxH      pixels, multiples of 8 (default: 64x64)
  --json FILE     write the figures`

interface RealOptions {
  model: string
  frames: number
  width: number
  height: number
}

/** Sizes in bytes, times in seconds. */
interface RealReport extends RealOptions {
  date: string
  runtime: string
  weights: number
  load: {
    seconds: number
    /** Largest resident memory of the process. On a GPU the weights are not in it. */
    peakRss: number
    /** What that is above the memory before, and above the weights too where they are the process's own. */
    aboveWeights: number
  }
  /** The first pass also compiles what is left to compile. */
  forward: { first: number; second: number; peakRss: number; peakDevice: number }
}

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      real: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      runtime: { type: 'string' },
      adapter: { type: 'string' },
      frames: { type: 'string', default: '2' },
      size: { type: 'string', default: '64x64' },
      json: { type: 'string' },
    },
  })
  if (values.help) return undefined
  const runtime = runtimeNames.find(name => name === values.runtime)
  const [width, height] = values.size.split('x').map(Number)
  const frames = Number(values.frames)
  const sizes = [width / 8, height / 8, frames]
  if (!values.real || (values.runtime && !runtime) || !sizes.every(n => Number.isInteger(n) && n > 0 && n <= 512))
    throw new UsageError({
      where: 'arguments',
      what: 'cannot be used',
      expected: '--real DIR, a known runtime, up to 512 frames, sizes in multiples of 8',
      hint: '--help',
    })
  const adapter = parseWish(values.adapter, '--adapter')
  return { model: values.real, frames, width, height, runtime, adapter, json: values.json }
}

/** Largest resident memory of the process so far, in bytes. */
const peakRss = () => process.resourceUsage().maxRSS * 1024

const secondsSince = (start: number) => (performance.now() - start) / 1e3

async function measure(runtime: Runtime, onGpu: boolean, options: RealOptions): Promise<RealReport> {
  const { model, frames, width, height } = options
  const { unet: part } = await openModelFolder(model)
  const file = await part.openWeights()
  const before = process.memoryUsage.rss()
  let clock = performance.now()
  using unet = await UNetSpatioTemporalConditionModel.load(runtime, file, part.config)
  await runtime.sync()
  const seconds = secondsSince(clock)
  await file.close()
  const weights = runtime.statistics().live
  const loaded = peakRss()
  const load = { seconds, peakRss: loaded, aboveWeights: loaded - before - (onGpu ? 0 : weights) }

  const random = new Generator(1)
  const { inChannels, levels } = part.config
  const shape = [1, frames, inChannels, height / 8, width / 8]
  using sample = Tensor.from(runtime, random.randn(shape.reduce((a, b) => a * b)), shape)
  const contextChannels = levels[0].contextChannels
  using context = Tensor.from(runtime, random.randn(contextChannels), [1, 1, contextChannels])
  const forward = async () => {
    clock = performance.now()
    using output = unet.forward(sample, 0.5, context, [[6, 127, 0.02]])
    const values = await output.floats()
    if (!values.every(Number.isFinite)) throw new Error('the UNet gives no numbers')
    return secondsSince(clock)
  }
  const [first, second] = [await forward(), await forward()]
  const { peak: peakDevice } = runtime.statistics()
  const date = new Date().toISOString().slice(0, 10)
  const where = `${runtime.name} (${runtime.description})`
  return {
    date,
    ...options,
    runtime: where,
    weights,
    load,
    forward: { first, second, peakRss: peakRss(), peakDevice },
  }
}

function textOf({ runtime, frames, width, height, weights, load, forward }: RealReport): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
  return [
    runtime,
    `loading ${gib(weights)}: ${load.seconds.toFixed(1)} s, ${mib(weights / load.seconds)}/s, ` +
      `${mib(load.aboveWeights)} of host memory beside the weights`,
    `UNet forward, ${frames} frames of ${width} x ${height}: ${forward.first.toFixed(1)} s, ` +
      `again ${forward.second.toFixed(1)} s`,
    `peaks: ${gib(forward.peakDevice)} of device memory, ${gib(forward.peakRss)} resident`,
  ].join('\n')
}

async function main(): Promise<void> {
  const given = readOptions(process.argv.slice(2))
  if (!given) return console.log(usage)
  const { runtime: name, adapter, json, ...options } = given
  const runtime = await openRuntime({ runtime: name, adapter })
  try {
    const onGpu = runtime.description.startsWith('hardware')
    const report = await measure(runtime, onGpu, options)
    console.log(textOf(report))
    if (json === undefined) return
    await save(json, `${JSON.stringify({ ...report, model: undefined }, null, 1)}\n`)
  } finally {
    await runtime.close()
  }
}

await runProgram(main)
