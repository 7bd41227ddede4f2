// Training an image encoder from a folder of clips and a configuration.

import { basename, dirname, join } from 'node:path'
import { readConfigText } from '../../models/checkpoint.js'
import { parseCLIPVisionConfig } from '../../models/clip/config.js'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import { parseObject } from '../../models/config-reader.js'
import type { Runtime } from '../../tensor/index.js'
import { findClips } from '../clip-folder.js'
import { runTraining, type RunEvent } from '../run.js'
import type { CacheEvent } from '../svd/cache.js'
import { writeModelPart } from '../write-part.js'
import type { EncoderTrainConfig } from './config.js'
import { EncoderTask } from './task.js'

export interface TrainEncoderOptions {
  /** Folder of clips. */
  readonly data: string
  readonly config: EncoderTrainConfig
  /** Of the run; see `runTraining`. In the end it holds `image_encoder/`, as diffusers lays it out. */
  readonly folder: string
  /** See `RunOptions.end`. */
  readonly end?: boolean
  readonly signal?: AbortSignal
}

/** Trains an image encoder. Errors: of files, and of `runTraining`. */
export async function* trainEncoder(
  runtime: Runtime,
  { data, config, folder, end, signal }: TrainEncoderOptions,
): AsyncGenerator<CacheEvent | RunEvent, void, undefined> {
  const { encoderConfig: path, settings, saveEvery } = config
  const text = await readConfigText(dirname(path), basename(path))
  const encoder = new CLIPVisionModelWithProjection(parseCLIPVisionConfig(path, text))
  const clips = yield* findClips(data, { frames: 2, stride: 1 }, signal)
  using task = new EncoderTask(runtime, encoder, { ...config, clips })
  yield* runTraining(runtime, {
    folder,
    task,
    settings,
    saveEvery,
    end,
    signal,
    description: { ...config, encoder: encoder.config, clips: clips.map(({ name, key }) => ({ name, key })) },
    finish: values =>
      writeModelPart(join(folder, 'image_encoder'), 'model', encoder.weights, parseObject(path, text), { values }),
  })
}
