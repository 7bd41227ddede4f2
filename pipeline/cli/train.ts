// `revision train`: a model learns from a folder of data, in a folder of its own; a run that was stopped goes on there.

import { basename, dirname } from 'node:path'
import type { CommandModule } from 'yargs'
import { readConfigText } from '../../models/checkpoint.js'
import { UsageError, type Runtime } from '../../tensor/index.js'
import { parseEncoderTrainConfig } from '../../train/encoder/config.js'
import { trainEncoder } from '../../train/encoder/train.js'
import { parseExtractorTrainConfig } from '../../train/extractor/config.js'
import { trainExtractor } from '../../train/extractor/train.js'
import { readLibrary } from '../../train/motion/library.js'
import type { TrainOptions } from '../../train/network.js'
import { parsePPPMTrainConfig } from '../../train/pppm/config.js'
import { trainPPPM } from '../../train/pppm/train.js'
import type { RunEvent } from '../../train/run.js'
import type { CacheEvent } from '../../train/svd/cache.js'
import { parseSVDTrainConfig } from '../../train/svd/config.js'
import { trainSVD } from '../../train/svd/train.js'
import { parseVaeTrainConfig } from '../../train/vae/config.js'
import { trainVae } from '../../train/vae/train.js'
import { jsonText } from './json.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'
import { StatusLine, timeLeft } from './status-line.js'
import { StopSignals } from './stop.js'

const kinds = ['pppm', 'vae', 'encoder', 'svd', 'extractor'] as const
type Kind = (typeof kinds)[number]

interface TrainArguments extends RuntimeArguments {
  what: Kind
  config: string
  motions?: string
  data?: string
  out: string
  end?: boolean
  json?: boolean
  quiet?: boolean
}

export const trainCommand: CommandModule<object, TrainArguments> = {
  command: 'train <what>',
  describe: 'Train a model',
  builder: program =>
    program
      .positional('what', {
        choices: kinds,
        describe:
          'pppm: the motion prior; vae: the video autoencoder; encoder: the image encoder; ' +
          'svd: the video UNet with its motion condition; extractor: parts and joints in pictures',
      })
      .options({
        config: { type: 'string', demandOption: true, requiresArg: true, describe: 'JSON file of settings' },
        motions: { type: 'string', requiresArg: true, describe: 'pppm: folder of motions to learn from' },
        data: {
          type: 'string',
          requiresArg: true,
          describe: 'All but pppm: folder of clips to learn from, a .npz each',
        },
        out: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder of the run' },
        end: { type: 'boolean', describe: 'Train no further: write the weights of what a stopped run has saved' },
        json: { type: 'boolean', describe: 'Print events, a JSON object a line' },
        quiet: { type: 'boolean', describe: 'Tell nothing on the way' },
        ...runtimeOptions,
      })
      .example('$0 train pppm --config pppm.json --motions cmu --out runs/pppm', '')
      .example('$0 train svd --config svd.json --data clips --out runs/svd', '') as never,
  handler: run,
}

/** What a kind of training does when everything that it is given has been looked at. */
type Start = (runtime: Runtime) => AsyncGenerator<RunEvent | CacheEvent, void, undefined>

interface StartContext {
  readonly args: TrainArguments
  /** Of the configuration. */
  readonly text: string
  readonly status: StatusLine | undefined
  readonly signal: AbortSignal
}

async function startPPPM({ args, text, status, signal }: StartContext): Promise<Start> {
  const config = parsePPPMTrainConfig(args.config, text)
  const library = await readLibrary(given(args, 'motions'), name => status?.change(`reading ${name}`))
  for (const { name, reason } of library.skipped) status?.line(`left out ${name}: ${reason}`)
  return runtime => trainPPPM(runtime, { library, config, folder: args.out, end: args.end, signal })
}

/** Of a network that learns from clips. */
function startFrom<C>(
  parse: (where: string, text: string) => C,
  train: (runtime: Runtime, options: TrainOptions<C>) => ReturnType<Start>,
): (context: StartContext) => Start {
  return ({ args, text, signal }) => {
    const config = parse(args.config, text)
    const data = given(args, 'data')
    return runtime => train(runtime, { data, config, folder: args.out, end: args.end, signal })
  }
}

const starts: Readonly<Record<Kind, (context: StartContext) => Start | Promise<Start>>> = {
  pppm: startPPPM,
  vae: startFrom(parseVaeTrainConfig, trainVae),
  encoder: startFrom(parseEncoderTrainConfig, trainEncoder),
  svd: startFrom(parseSVDTrainConfig, trainSVD),
  extractor: startFrom(parseExtractorTrainConfig, trainExtractor),
}

/** The folder that this kind of training learns from. */
function given(args: TrainArguments, option: 'motions' | 'data'): string {
  const folder = args[option]
  const other = option === 'motions' ? 'data' : 'motions'
  if (folder !== undefined && args[other] === undefined) return folder
  throw new UsageError({ where: `train ${args.what}`, what: `learns from --${option}, and has no --${other}` })
}

async function run(args: TrainArguments): Promise<void> {
  const { what, config, json, quiet } = args
  const text = await readConfigText(dirname(config), basename(config))
  const status = quiet || json ? undefined : new StatusLine()
  using stop = new StopSignals()
  const { signal } = stop
  signal.addEventListener('abort', () => status?.line('stopping ... (again: at once)'))
  const context = { args, text, status, signal }
  const start = await starts[what](context)
  const runtime = await openFor(args, { quiet: quiet || json })
  try {
    for await (const event of start(runtime)) {
      if (json) console.log(jsonText(event))
      else if (status) show(status, event)
    }
  } finally {
    status?.end()
    await runtime.close()
  }
}

function show(status: StatusLine, event: RunEvent | CacheEvent): void {
  switch (event.type) {
    case 'clip':
      return status.change(`clip ${event.clip}/${event.clips}: ${event.name}`)
    case 'skipped':
      return status.line(`left out ${event.name}: ${event.reason}`)
    case 'start':
      return status.line(event.from === 0 ? `${event.steps} steps` : `going on after step ${event.from}/${event.steps}`)
    case 'step': {
      const { step, steps, loss, seconds, secondsLeft } = event
      return status.change(
        `step ${step}/${steps}: loss ${loss.toPrecision(4)}, ${seconds.toFixed(2)} s${timeLeft(secondsLeft)}`,
      )
    }
    case 'saved':
      return status.line(`saved ${event.path} after step ${event.step}`)
    case 'done':
      return status.line(event.path)
  }
}
