// A run's checkpoint: a safetensors file that a killed run goes on from, to the same bits. It holds what the denoising
// needs and cannot be made again in a moment; its metadata say of which run it is. After any step it is there whole.

import { constants } from 'node:fs'
import { access, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isThere } from '../models/checkpoint.js'
import { parseObject } from '../models/config-reader.js'
import { latentChannels } from '../models/svd/latents.js'
import { NodeFileSource, SafetensorsFile, sweepPartials, writeSafetensors } from '../tensor/files/index.js'
import { quote } from '../tensor/files/quote.js'
import { systemError } from '../tensor/files/system-error.js'
import { FileError, Generator, showShape, UsageError, type GeneratorState, type Shape } from '../tensor/index.js'
import { checkSameConfiguration, type Configuration } from './configuration.js'
import type { DenoisePoint } from './denoise.js'
import type { GenerateSettings } from './settings.js'

const format = 'revision checkpoint 1'

// Larger than any that is written: settings bound the pixels of a video.
const maxBytes = 2 ** 28

// Metadata are text of a few kilobytes.
const maxText = 2 ** 16

/** What a run has come to. */
export interface RunState extends DenoisePoint {
  /** [1, 1, D] */
  readonly embeddings: Float32Array
  /** [1, 4, h, w] */
  readonly pictureLatents: Float32Array
  /** Of the generator that the noise was drawn from. */
  readonly random: GeneratorState
  /** Whether it has run out of memory, and so takes as little as can be since. */
  readonly thrifty: boolean
}

/** The numbers of a state, under their names in the file. */
type Tensors = Pick<RunState, 'latents' | 'embeddings' | 'pictureLatents'>

/** What a state must fit. */
interface Frame {
  readonly settings: GenerateSettings
  /** Width of the embeddings. */
  readonly width: number
  /** Pixels along a side for each latent. */
  readonly scale: number
}

/** One run's checkpoint, at a path of its own. */
export class Checkpoint {
  readonly path: string
  /** What the path held when it was opened, if an earlier run of this configuration left it. */
  readonly saved: RunState | undefined
  readonly #configuration: Configuration
  readonly #shapes: Record<keyof Tensors, Shape>

  private constructor(
    path: string,
    configuration: Configuration,
    shapes: Record<keyof Tensors, Shape>,
    saved?: RunState,
  ) {
    this.path = path
    this.saved = saved
    this.#configuration = configuration
    this.#shapes = shapes
  }

  /**
   * Reads what is at `path`, if anything is. The configuration is asked for when the place is known to be good.
   *
   * @throws UsageError for the checkpoint of another configuration, saying what differs; FileError for a file that is
   *   no checkpoint, or broken, and where none could be written
   */
  static async open(path: string, configure: () => Promise<Configuration>, frame: Frame): Promise<Checkpoint> {
    const shapes = shapesOf(frame)
    await checkPlace(path)
    await sweepPartials(path)
    const configuration = await configure()
    const saved = (await isThere(path)) ? await read(path, configuration, shapes, frame.settings.steps) : undefined
    return new Checkpoint(path, configuration, shapes, saved)
  }

  /** Replaces the file. Throws a FileError if the disk refuses; then the file is what it was. */
  async save({ step, random, thrifty, ...tensors }: RunState): Promise<void> {
    const entries = (Object.keys(this.#shapes) as (keyof Tensors)[]).map(name => ({
      name,
      dtype: 'f32' as const,
      shape: this.#shapes[name],
      data: tensors[name],
    }))
    await writeSafetensors(this.path, entries, {
      format,
      step: String(step),
      configuration: JSON.stringify(this.#configuration),
      random: JSON.stringify(random),
      thrifty: String(thrifty),
    })
  }

  /** Removes the file: the run is over. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true })
  }
}

function shapesOf({
  settings: { frames, height, width },
  width: embedding,
  scale,
}: Frame): Record<keyof Tensors, Shape> {
  const area = [latentChannels, height / scale, width / scale]
  return { latents: [frames, ...area], embeddings: [1, 1, embedding], pictureLatents: [1, ...area] }
}

/** Refuses a place that no file can be written to, before hours of work. */
async function checkPlace(path: string): Promise<void> {
  if (path.trim() === '') throw new UsageError({ where: 'checkpoint', what: 'the name of the file is empty' })
  await access(dirname(resolve(path)), constants.W_OK).catch((cause: unknown) => {
    throw systemError(path, 'no checkpoint can be written there', cause)
  })
}

async function read(
  path: string,
  configuration: Configuration,
  shapes: Record<keyof Tensors, Shape>,
  steps: number,
): Promise<RunState> {
  const refuse = (what: string, cause?: unknown): never => {
    throw new FileError({ where: path, what, hint: 'another name, or removing the file' }, { cause })
  }
  const source = await NodeFileSource.open(path)
  if (source.size > maxBytes) {
    await source.close()
    refuse('too large for a checkpoint')
  }
  const file = await SafetensorsFile.open(source).catch((cause: unknown) => refuse('not a checkpoint of a run', cause))
  try {
    const { metadata } = file
    const text = (name: string) => {
      const value = metadata.get(name)
      return value !== undefined && value.length <= maxText ? value : refuse(`the checkpoint has no usable ${name}`)
    }
    if (metadata.get('format') !== format) refuse('not a checkpoint of a run')
    checkSameConfiguration(
      path,
      'the checkpoint is of another run',
      configuration,
      parseObject(path, text('configuration')),
    )
    const step = Number(text('step'))
    if (!(Number.isInteger(step) && step >= 1 && step <= steps))
      refuse(`the checkpoint has no step ${quote(text('step'))}`)
    const random = parseObject(path, text('random')) as unknown as GeneratorState
    try {
      Generator.from(random)
    } catch (cause) {
      refuse('the checkpoint has no usable random state', cause)
    }
    const tensor = async (name: keyof Tensors) => {
      const info = file.tensors.get(name)
      if (info?.stored !== 'F32' || showShape(info.shape) !== showShape(shapes[name]))
        refuse(`the checkpoint has no ${name} of ${showShape(shapes[name])} in F32`)
      const { data } = await file.read(name)
      return data.every(value => Number.isFinite(value)) ? (data as Float32Array) : refuse(`${name} hold no numbers`)
    }
    return {
      step,
      latents: await tensor('latents'),
      embeddings: await tensor('embeddings'),
      pictureLatents: await tensor('pictureLatents'),
      random,
      thrifty: text('thrifty') === 'true',
    }
  } finally {
    await file.close()
  }
}
