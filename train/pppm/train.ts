// Training a PPPM from a folder of motions and a configuration.

import { PPPM } from '../../models/pppm/pppm.js'
import { formatPPPMConfig, pppmConfigs } from '../../models/pppm/config.js'
import type { Runtime } from '../../tensor/index.js'
import { runTraining, type RunEvent } from '../run.js'
import { holdOut, type Library } from '../motion/library.js'
import { drawPerson } from './clips.js'
import type { PPPMTrainConfig } from './config.js'
import { PPPMTask } from './task.js'

export interface TrainPPPMOptions {
  readonly library: Library
  readonly config: PPPMTrainConfig
  /** Of the run; see `runTraining`. */
  readonly folder: string
  readonly signal?: AbortSignal
}

/** Trains a PPPM on all takes that are not held out. Errors: as `runTraining`. */
export async function* trainPPPM(
  runtime: Runtime,
  { library, config, folder, signal }: TrainPPPMOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const { model, frames, batch, settings, saveEvery } = config
  const { train } = holdOut(library.takes, config.holdOut)
  using task = new PPPMTask(runtime, new PPPM(pppmConfigs[model]), {
    source: (_kind, frames, random) => drawPerson(train, frames, random),
    compositions: [{ counts: { human: 1 }, frames, share: 1 }],
    batch,
  })
  const takes = train.map(({ name, frames }) => ({ name, frames }))
  const description = { ...config, takes }
  const metadata = { config: formatPPPMConfig(pppmConfigs[model]) }
  yield* runTraining(runtime, { folder, task, settings, saveEvery, description, metadata, signal })
}
