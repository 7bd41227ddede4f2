// Training a PPPM from a folder of motions and a configuration.

import { PPPM } from '../../models/pppm/pppm.js'
import { formatPPPMConfig, pppmConfigs, type PPPMConfig } from '../../models/pppm/config.js'
import type { Runtime } from '../../tensor/index.js'
import { runTraining, type RunEvent } from '../run.js'
import { holdOut, type Library } from '../motion/library.js'
import type { Motion } from '../motion/motion.js'
import type { PPPMTrainConfig } from './config.js'
import { clipSource, textsOf } from './sources.js'
import { PPPMTask, type WeightedComposition } from './task.js'
import { encodeTexts, textTokens } from './texts.js'

/** What a PPPM is trained on, and where its run is kept. */
export interface TrainPPPMOptions {
  readonly library: Library
  readonly config: PPPMTrainConfig
  /** Of the run; see `runTraining`. */
  readonly folder: string
  /** See `RunOptions.end`. */
  readonly end?: boolean
  readonly signal?: AbortSignal
}

// Mostly one person, for whom there is captured motion; each kind alone, and entities that share a scene. `length` is in
// clips: what is learnt of one length alone does not hold for others.
const scenes = [
  { counts: { human: 1 }, length: 1, share: 0.62 },
  { counts: { human: 1 }, length: 0.5, share: 0.12 },
  { counts: { human: 1 }, length: 2, share: 0.06 },
  { counts: { human: 2 }, length: 0.5, share: 0.05 },
  { counts: { human: 1, object: 1 }, length: 0.5, share: 0.05 },
  { counts: { object: 1 }, length: 1, share: 0.04 },
  { counts: { animal: 1 }, length: 1, share: 0.06 },
] as const

/** Trains a PPPM on all takes that are not held out. Errors: as `runTraining`. */
export async function* trainPPPM(
  runtime: Runtime,
  { library, config, folder, end, signal }: TrainPPPMOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const { model, textEncoder, frames, batch, settings, saveEvery } = config
  const { train } = holdOut(library.takes, config.holdOut)
  const texts = textEncoder === undefined ? undefined : await encodeTexts(runtime, textEncoder, textsOf(train))
  const told = texts && { textChannels: texts.channels, textTokens }
  const network: PPPMConfig = { ...pppmConfigs[model], ...told }
  using task = new PPPMTask(runtime, new PPPM(network), {
    source: clipSource(train),
    compositions: compositionsFor(frames, train),
    batch,
    texts,
  })
  const takes = train.map(({ name, frames }) => ({ name, frames }))
  const description = { ...config, takes }
  const metadata = { config: formatPPPMConfig(network) }
  yield* runTraining(runtime, { folder, task, settings, saveEvery, description, metadata, end, signal })
}

/** Scenes of clips of so many frames; those that are longer than every take are left out, but never clips themselves. */
function compositionsFor(frames: number, takes: readonly Motion[]): WeightedComposition[] {
  const longest = takes.reduce((most, take) => Math.max(most, take.frames), frames)
  return scenes
    .map(({ length, ...scene }) => ({ ...scene, frames: Math.round(length * frames) }))
    .filter(scene => scene.frames <= longest)
}
