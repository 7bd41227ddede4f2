// Training an image encoder from a folder of clips and a configuration.

import { parseCLIPVisionConfig } from '../../models/clip/config.js'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import type { Runtime } from '../../tensor/index.js'
import { trainFresh, type TrainOptions } from '../network.js'
import type { EncoderTrainConfig } from './config.js'
import { EncoderTask } from './task.js'

/** Trains an image encoder; in the end the run's folder holds `image_encoder/`. Errors: as `trainFresh`. */
export function trainEncoder(
  runtime: Runtime,
  options: TrainOptions<EncoderTrainConfig>,
): ReturnType<typeof trainFresh> {
  const { config } = options
  return trainFresh(runtime, options, {
    name: 'encoder',
    part: 'image_encoder',
    base: 'model',
    configPath: config.encoderConfig,
    build: (where, text) => new CLIPVisionModelWithProjection(parseCLIPVisionConfig(where, text)),
    taken: { frames: 2, stride: 1 },
    taskOf: (encoder, clips) => new EncoderTask(runtime, encoder, { ...config, clips }),
  })
}
