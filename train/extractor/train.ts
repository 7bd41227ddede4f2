// Training a part extractor from a folder of clips and a configuration.

import { basename, dirname, join } from 'node:path'
import { readConfigText } from '../../models/checkpoint.js'
import { parseObject } from '../../models/config-reader.js'
import { parsePartExtractorConfig } from '../../models/extractor/config.js'
import { PartExtractor } from '../../models/extractor/extractor.js'
import type { Runtime } from '../../tensor/index.js'
import { findClips } from '../clip-folder.js'
import { runTraining, type RunEvent } from '../run.js'
import type { CacheEvent } from '../svd/cache.js'
import { writeModelPart } from '../write-part.js'
import type { ExtractorTrainConfig } from './config.js'
import { ExtractorTask } from './task.js'

export interface TrainExtractorOptions {
  /** Folder of clips. */
  readonly data: string
  readonly config: ExtractorTrainConfig
  /** Of the run; see `runTraining`. In the end it holds `extractor/`. */
  readonly folder: string
  /** See `RunOptions.end`. */
  readonly end?: boolean
  readonly signal?: AbortSignal
}

/** Trains a part extractor. Errors: of files, and of `runTraining`. */
export async function* trainExtractor(
  runtime: Runtime,
  { data, config, folder, end, signal }: TrainExtractorOptions,
): AsyncGenerator<CacheEvent | RunEvent, void, undefined> {
  const { extractorConfig: path, settings, saveEvery } = config
  const text = await readConfigText(dirname(path), basename(path))
  const extractor = new PartExtractor(parsePartExtractorConfig(path, text))
  const clips = yield* findClips(data, { frames: 1, stride: 1 }, signal)
  using task = new ExtractorTask(runtime, extractor, { ...config, clips })
  yield* runTraining(runtime, {
    folder,
    task,
    settings,
    saveEvery,
    end,
    signal,
    description: { ...config, extractor: extractor.config, clips: clips.map(({ name, key }) => ({ name, key })) },
    finish: values =>
      writeModelPart(join(folder, 'extractor'), 'model', extractor.weights, parseObject(path, text), { values }),
  })
}
