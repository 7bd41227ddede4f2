// Training a network that a config.json describes, from fresh weights, on a folder of clips.

import { basename, dirname, join } from 'node:path'
import { readConfigText, type WeightsBase } from '../models/checkpoint.js'
import { parseObject } from '../models/config-reader.js'
import type { Weights } from '../nn/index.js'
import type { Runtime } from '../tensor/index.js'
import { findClips, type FoundClip, type Taken } from './clip-folder.js'
import { runTraining, type RunEvent } from './run.js'
import type { CacheEvent } from './svd/cache.js'
import type { Task, TrainSettings } from './trainer.js'
import { writeModelPart } from './write-part.js'

/** What a network learns from, how, and where its run is kept. */
export interface TrainOptions<Config> {
  /** Folder of clips. */
  readonly data: string
  readonly config: Config
  /** Of the run; see `runTraining`. In the end it holds the network's folder, as diffusers lays it out. */
  readonly folder: string
  /** See `RunOptions.end`. */
  readonly end?: boolean
  readonly signal?: AbortSignal
}

/** A network that begins with nothing learnt. */
export interface FreshNetwork<Network> {
  /** In the description of the run. */
  readonly name: string
  /** Its folder in a model's, and its weights there. */
  readonly part: string
  readonly base: WeightsBase
  /** Path of its config.json, and what builds the network of such a text. */
  readonly configPath: string
  readonly build: (where: string, text: string) => Network
  /** Frames that a clip must have. */
  readonly taken: Taken
  readonly taskOf: (network: Network, clips: readonly FoundClip[]) => Task & Disposable
}

/** Trains such a network. Errors: of files, and of `runTraining`. */
export async function* trainFresh<
  Network extends { readonly weights: Weights; readonly config: object },
  Config extends { readonly settings: TrainSettings; readonly saveEvery: number },
>(
  runtime: Runtime,
  { data, config, folder, end, signal }: TrainOptions<Config>,
  { name, part, base, configPath, build, taken, taskOf }: FreshNetwork<Network>,
): AsyncGenerator<CacheEvent | RunEvent, void, undefined> {
  const { settings, saveEvery } = config
  const text = await readConfigText(dirname(configPath), basename(configPath))
  const network = build(configPath, text)
  const clips = yield* findClips(data, taken, signal)
  using task = taskOf(network, clips)
  yield* runTraining(runtime, {
    folder,
    task,
    settings,
    saveEvery,
    end,
    signal,
    description: { ...config, [name]: network.config, clips: clips.map(({ name, key }) => ({ name, key })) },
    finish: values =>
      writeModelPart(join(folder, part), base, network.weights, parseObject(configPath, text), { values }),
  })
}
