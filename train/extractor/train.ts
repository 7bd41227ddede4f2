// Training a part extractor from a folder of clips and a configuration.

import { parsePartExtractorConfig } from '../../models/extractor/config.js'
import { PartExtractor } from '../../models/extractor/extractor.js'
import type { Runtime } from '../../tensor/index.js'
import { trainFresh, type TrainOptions } from '../network.js'
import type { ExtractorTrainConfig } from './config.js'
import { ExtractorTask } from './task.js'

/** Trains a part extractor; in the end the run's folder holds `extractor/`. Errors: as `trainFresh`. */
export function trainExtractor(
  runtime: Runtime,
  options: TrainOptions<ExtractorTrainConfig>,
): ReturnType<typeof trainFresh> {
  const { config } = options
  return trainFresh(runtime, options, {
    name: 'extractor',
    part: 'extractor',
    base: 'model',
    configPath: config.extractorConfig,
    build: (where, text) => new PartExtractor(parsePartExtractorConfig(where, text)),
    taken: { frames: 1, stride: 1 },
    taskOf: (extractor, clips) => new ExtractorTask(runtime, extractor, { ...config, clips }),
  })
}
