// `revision plan`: what a video takes, before anything is downloaded, loaded or opened.

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { openDry } from '../../kernels/dry.js'
import { parseCLIPVisionConfig } from '../../models/clip/config.js'
import { parseUNetConfig } from '../../models/svd/config.js'
import { openModelPart, type ModelPart } from '../../models/svd/folder.js'
import { parseVaeConfig } from '../../models/svd/vae-config.js'
import { quote } from '../../tensor/files/quote.js'
import { FileError, UsageError, type DType } from '../../tensor/index.js'
import { mostThreads } from '../../tensor/wasm/command.js'
import { architectureNames, architectures, type ArchitectureName } from '../hub/architectures.js'
import { checkpointDTypes } from '../hub/random-checkpoint.js'
import { weightDTypes } from '../plan/memory.js'
import { planVideo, type NetworkConfigs, type StagePlan, type VideoPlan } from '../plan/plan.js'
import { checkSettings, completeSettings, type GenerateSettings } from '../settings.js'
import { parseBytes } from './bytes.js'
import { oneLine } from './exit.js'
import { jsonText } from './json.js'
import { memoryOptions, optionOf, type MemoryArguments } from './options.js'
import { showBytes } from './progress.js'

interface PlanArguments extends MemoryArguments {
  model: string
  size?: string
  frames?: number
  steps?: number
  decodeChunk?: number
  minGuidance?: number
  maxGuidance?: number
  masks: boolean
  dtype?: (typeof checkpointDTypes)[number]
  runtime: 'webgpu' | 'wasm'
  threads?: number
  json?: boolean
}

export const planCommand: CommandModule<object, PlanArguments> = {
  command: 'plan',
  describe: 'Tell how much memory and work a video takes',
  builder: program =>
    program.options({
      model: {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: `${architectureNames.join(', ')}, or the folder of a model, of which only configurations are needed`,
      },
      size: { type: 'string', requiresArg: true, describe: "Pixels, such as 1024x576. Default: the model's, in 16:9" },
      frames: { type: 'number', requiresArg: true, describe: "Frames of the video. Default: the model's" },
      steps: { type: 'number', requiresArg: true, describe: 'Denoising steps. Default: 25' },
      'decode-chunk': { type: 'number', requiresArg: true, describe: 'Frames decoded together. Default: 4' },
      'min-guidance': { type: 'number', requiresArg: true, describe: 'Default: 1' },
      'max-guidance': { type: 'number', requiresArg: true, describe: 'Default: 3' },
      masks: { type: 'boolean', default: false, describe: 'With a motion condition' },
      ...memoryOptions,
      dtype: {
        choices: checkpointDTypes,
        requiresArg: true,
        describe: "How weights are stored. Default: as in the folder's files, else f16",
      },
      runtime: {
        choices: ['webgpu', 'wasm'] as const,
        default: 'webgpu',
        requiresArg: true,
        describe: 'As which runtime to plan; neither is opened',
      },
      threads: { type: 'number', requiresArg: true, describe: 'Threads of the wasm runtime. Default: 2' },
      json: { type: 'boolean', describe: 'Print one JSON object' },
    }) as never,
  handler: run,
}

async function run(args: PlanArguments): Promise<void> {
  const { model, runtime, threads, masks: motion, lowMemory, json } = args
  const { frames, steps, decodeChunk, minGuidance, maxGuidance } = args
  const given = { frames, steps, decodeChunk, minGuidance, maxGuidance, ...sizeOf(args.size) }
  const maxMemory = args.maxMemory === undefined ? undefined : parseBytes('--max-memory', args.maxMemory)
  const nameOf = (name: string) => (name === 'width' || name === 'height' ? '--size' : optionOf(name))
  checkSettings(given, nameOf)
  checkThreads(threads)
  const { configs, dtypeOf } = await networksOf(model, args.dtype)
  const settings = completeSettings(given, configs, nameOf)
  const open = () => openDry({ runtime, threads })
  const plan = planVideo({ configs, settings, open, dtypeOf, motion, maxMemory, lowMemory })
  console.log(json ? jsonText(jsonOf(args, settings, plan), 2) : textOf(args, settings, plan))
}

function checkThreads(threads: number | undefined): void {
  if (threads === undefined || (Number.isInteger(threads) && threads >= 0 && threads <= mostThreads)) return
  throw new UsageError({
    where: '--threads',
    what: 'impossible number of threads',
    expected: `0 to ${mostThreads}`,
    got: String(threads),
  })
}

function sizeOf(text: string | undefined): Pick<Partial<GenerateSettings>, 'width' | 'height'> {
  if (text === undefined) return {}
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? []
  if (width === undefined)
    throw new UsageError({
      where: '--size',
      what: 'not a size',
      expected: 'WIDTHxHEIGHT',
      got: quote(text),
    })
  return { width: Number(width), height: Number(height) }
}

interface Networks {
  configs: NetworkConfigs
  dtypeOf: (network: keyof NetworkConfigs, name: string) => DType
}

/** The networks of an architecture or of a folder. Throws a FileError where a configuration is missing or broken. */
async function networksOf(model: string, dtype: DType | undefined): Promise<Networks> {
  const known = architectureNames.find(name => name === model)
  if (known !== undefined) return { configs: configsOf(known), dtypeOf: () => dtype ?? 'f16' }
  if (!(await stat(model).catch(() => undefined))?.isDirectory())
    throw new FileError({
      where: model,
      what: 'no such model',
      expected: `${architectureNames.join(', ')}, or a folder`,
    })
  const parts = {
    unet: await openModelPart(join(model, 'unet'), 'diffusion_pytorch_model', parseUNetConfig),
    vae: await openModelPart(join(model, 'vae'), 'diffusion_pytorch_model', parseVaeConfig),
    imageEncoder: await openModelPart(join(model, 'image_encoder'), 'model', parseCLIPVisionConfig),
  }
  const configs = { unet: parts.unet.config, vae: parts.vae.config, imageEncoder: parts.imageEncoder.config }
  if (dtype !== undefined) return { configs, dtypeOf: () => dtype }
  const dtypes = {
    unet: await dtypesIn(parts.unet),
    vae: await dtypesIn(parts.vae),
    imageEncoder: await dtypesIn(parts.imageEncoder),
  }
  return { configs, dtypeOf: (network: keyof typeof dtypes, name) => dtypes[network].get(name) ?? 'f16' }
}

function configsOf(name: ArchitectureName): NetworkConfigs {
  const { unet, vae, imageEncoder } = architectures[name]
  return {
    unet: parseUNetConfig(name, JSON.stringify(unet)),
    vae: parseVaeConfig(name, JSON.stringify(vae)),
    imageEncoder: parseCLIPVisionConfig(name, JSON.stringify(imageEncoder)),
  }
}

/** The float types of a network's weights, if there are any. */
async function dtypesIn(part: ModelPart<unknown>): Promise<ReadonlyMap<string, DType>> {
  return weightDTypes(part).catch((error: unknown) => {
    if (error instanceof FileError) return new Map<string, DType>()
    throw error
  })
}

function chunksOf({ stage, memory }: StagePlan, { decodeChunk, frames }: GenerateSettings): object {
  const { chunkBytes, sequentialGuidance, replay } = memory
  if (stage === 'unet') return { chunkBytes, sequentialGuidance, replay }
  return stage === 'vae decoder' ? { chunkBytes, frames: Math.min(decodeChunk, frames) } : { chunkBytes }
}

function jsonOf(
  { model, runtime, lowMemory = false }: PlanArguments,
  settings: GenerateSettings,
  plan: VideoPlan,
): object {
  const stages = plan.stages.map(stage => ({
    stage: stage.stage,
    peakBytes: stage.peakBytes,
    weightBytes: stage.weightBytes,
    flops: stage.flops,
    chunks: chunksOf(stage, settings),
  }))
  const { peakBytes, flops } = plan
  return { model, runtime, lowMemory, settings, peakBytes, flops, stages }
}

function textOf({ model, runtime }: PlanArguments, settings: GenerateSettings, plan: VideoPlan): string {
  const { frames, width, height, steps } = settings
  const rows = plan.stages.map(stage => [
    stage.stage,
    showBytes(stage.peakBytes),
    showBytes(stage.weightBytes),
    (stage.flops / 1e12).toFixed(stage.flops < 1e13 ? 3 : 0),
    wayOf(stage, settings),
  ])
  const table = [['stage', 'peak', 'of it weights', 'TFLOP', 'how'], ...rows]
  const widths = [0, 1, 2, 3].map(column => Math.max(...table.map(row => row[column].length)))
  const lines = table.map(row =>
    row
      .map((cell, i) => (i === 0 || i === 4 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  )
  return [
    `${oneLine(model)}: ${frames} frames of ${width} x ${height}, ${steps} steps, on ${runtime}`,
    '',
    ...lines,
    '',
    `peak ${showBytes(plan.peakBytes)}, ${(plan.flops / 1e12).toFixed(3)} TFLOP`,
  ].join('\n')
}

function wayOf(
  { stage, memory }: StagePlan,
  { decodeChunk, frames, minGuidance, maxGuidance }: GenerateSettings,
): string {
  const { chunkBytes, sequentialGuidance, replay } = memory
  const chunks = `chunks of ${showBytes(chunkBytes)}`
  if (stage === 'vae decoder') return `${chunks}, ${Math.min(decodeChunk, frames)} frames together`
  if (stage !== 'unet') return chunks
  const guided = Math.max(minGuidance, maxGuidance) > 1
  const guidance = sequentialGuidance ? 'guidance in turns' : 'guidance in one batch'
  return [chunks, ...(guided ? [guidance] : []), replay ? 'steps replayed' : 'steps one by one'].join(', ')
}
