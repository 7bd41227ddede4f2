// Golden folders of the whole pipeline: a run of diffusers' StableVideoDiffusionPipeline with all that passed between
// its stages. `<case>.json` tells the settings and where the networks lie, `<case>.png` is the picture.

import { basename, join } from 'node:path'
import {
  openModelPart,
  parseCLIPVisionConfig,
  parseUNetConfig,
  parseVaeConfig,
  type ModelFolder,
} from '../../models/index.js'
import { ConfigReader, isObject } from '../../models/config-reader.js'
import { quoteValue } from '../../tensor/files/quote.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, joinFloats, keep, Tensor, type Runtime } from '../../tensor/index.js'
import { generate, type GenerateEvent, type GenerateOptions, type GenerateResult } from '../generate.js'
import { readPicture } from '../media/decode.js'
import type { Picture } from '../media/picture.js'
import { clipPixels, videoPixels } from '../../models/svd/preprocess.js'
import { completeSettings, videoModelOf } from '../settings.js'
import { decodeFrames } from '../stages.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { networkTolerance, withFile } from './network.js'
import {
  attempt,
  compare,
  compareAbsolutely,
  readNumbers,
  readTensor,
  type Numbers,
  type VerifyCase,
  type VerifyOutcome,
} from './outcome.js'

// Big first steps cancel (sigma 700); frames are stored as f16, and here rounded to 8 bits besides.
const stepTolerance = 2e-4
const frameTolerance = 1e-3
const byteTolerance = frameTolerance + 0.5 / 255
const pixelTolerance = 1e-5

/** A case as its JSON tells it. */
export interface PipelineCase {
  readonly name: string
  readonly model: ModelFolder
  readonly image: Picture
  readonly settings: Required<
    Pick<
      GenerateOptions,
      | 'frames'
      | 'steps'
      | 'width'
      | 'height'
      | 'fps'
      | 'motionBucket'
      | 'noiseAug'
      | 'minGuidance'
      | 'maxGuidance'
      | 'decodeChunk'
    >
  >
}

/** Reads a case. Throws a FileError if it, its picture or its networks are not what they should be. */
export async function readPipelineCase(folder: GoldenFolder, name: string): Promise<PipelineCase> {
  const where = join(folder.path, `${name}.json`)
  const given = await folder.readObject(`${name}.json`)
  const number = (field: string) => {
    const value = given[field]
    if (typeof value !== 'number')
      throw new FileError({ where, what: `bad ${field}`, expected: 'a number', got: quoteValue(value) })
    return value
  }
  const beside = (field: string) => {
    const value = given[field]
    if (typeof value !== 'string' || !/^\.\.\/[\w-][\w.-]*$/.test(value))
      throw new FileError({ where, what: `bad ${field}`, expected: '../<folder>', got: quoteValue(value) })
    return join(folder.path, value)
  }
  const file = given.image
  if (typeof file !== 'string' || file !== basename(file) || !folder.files.has(file))
    throw new FileError({ where, what: 'no such picture', got: quoteValue(file) })
  const scheduler = isObject(given.scheduler_config) ? given.scheduler_config : {}
  return {
    name,
    image: await readPicture(join(folder.path, file)),
    model: {
      path: folder.path,
      unet: await openModelPart(beside('unet'), 'diffusion_pytorch_model', parseUNetConfig),
      vae: await openModelPart(beside('vae'), 'diffusion_pytorch_model', parseVaeConfig),
      imageEncoder: await openModelPart(beside('image_encoder'), 'model', parseCLIPVisionConfig),
      openScheduler: () => Promise.resolve(new ConfigReader(where, JSON.stringify(scheduler))),
    },
    settings: {
      frames: number('num_frames'),
      steps: number('num_inference_steps'),
      width: number('width'),
      height: number('height'),
      fps: number('fps'),
      motionBucket: number('motion_bucket_id'),
      noiseAug: number('noise_aug_strength'),
      minGuidance: number('min_guidance_scale'),
      maxGuidance: number('max_guidance_scale'),
      decodeChunk: number('decode_chunk_size'),
    },
  }
}

/** What the networks see of the picture. */
async function* verifyPictures(
  title: string,
  { image, model, settings }: PipelineCase,
  file: TensorFile,
): AsyncGenerator<VerifyCase, void, undefined> {
  const { tensors } = file
  const size = model.imageEncoder.config.imageSize
  const pixels = clipPixels(image, size) // [3,size,size]
  if (tensors.has('pixel_values_patch') && size === 224) {
    const shape = [1, 3, 32, 32]
    const data = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => {
      const [c, y, x] = [Math.floor(i / 1024), 96 + (Math.floor(i / 32) % 32), 64 + (i % 32)]
      return pixels[(c * size + y) * size + x]
    })
    const patch = await readNumbers(file, 'pixel_values_patch')
    yield compare(title, 'pixel_values_patch', { data, shape }, patch, pixelTolerance)
  }
  if (tensors.has('pixel_values_mean_std')) {
    const planes = [0, 1, 2].map(c => pixels.subarray(c * size * size, (c + 1) * size * size))
    const moments = planes.map(plane => {
      const mean = plane.reduce((sum, value) => sum + value, 0) / plane.length
      return [mean, Math.sqrt(plane.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (plane.length - 1))]
    })
    const data = Float32Array.from([0, 1].flatMap(kind => moments.map(moment => moment[kind])))
    const expected = await readNumbers(file, 'pixel_values_mean_std')
    yield compare(title, 'pixel_values_mean_std', { data, shape: [2, 3] }, expected, pixelTolerance)
  }
  if (tensors.has('image_preprocessed')) {
    const { width, height } = settings
    const actual = { data: videoPixels(image, width, height), shape: [1, 3, height, width] }
    const expected = await readNumbers(file, 'image_preprocessed')
    yield compare(title, 'image_preprocessed', actual, expected, pixelTolerance)
  }
}

/** Tensors that passed between the stages of a run, joined where there are several, and what it told. */
export interface PipelineRun {
  readonly seen: ReadonlyMap<string, readonly Float32Array[]>
  readonly events: readonly GenerateEvent[]
  readonly result: GenerateResult
}

/** Runs a case with the golden noise. */
export async function runPipelineCase(
  { model, image, settings }: PipelineCase,
  runtime: Runtime,
  file: TensorFile,
): Promise<PipelineRun> {
  const kept: [string, Tensor][] = []
  const floats = async (name: string) => Float32Array.from((await readNumbers(file, name)).data)
  const noise = { augmentation: await floats('noise_aug'), latents: await floats('latents_init_unit') }
  const events: GenerateEvent[] = []
  try {
    const observe = (name: string, tensor: Tensor) => kept.push([name, keep(tensor.share())])
    const run = generate({ ...settings, model, image, runtime, noise, observe })
    let next = await run.next()
    for (; !next.done; next = await run.next()) events.push(next.value)
    const seen = new Map<string, Float32Array[]>()
    for (const [name, tensor] of kept) seen.set(name, [...(seen.get(name) ?? []), await tensor.floats()])
    return { seen, events, result: next.value }
  } finally {
    for (const [, tensor] of kept) tensor.dispose()
  }
}

/** Compares every stage of a run with diffusers' own. */
export async function* comparePipelineRun(
  title: string,
  { settings }: PipelineCase,
  { seen, result }: PipelineRun,
  file: TensorFile,
): AsyncGenerator<VerifyCase, void, undefined> {
  const { frames, width, height, maxGuidance } = settings
  const all = (name: string) => seen.get(name) ?? []
  const one = (tensor: string, data: Float32Array | undefined, expected: Numbers, tolerance: number) =>
    compare(title, tensor, { data: data ?? new Float32Array(), shape: [data?.length ?? 0] }, flat(expected), tolerance)
  /** The half of a golden tensor that belongs to the picture: behind that without it, if there is guidance. */
  const conditional = async (name: string): Promise<Numbers> => {
    const { data } = await readNumbers(file, name)
    return flat({ data: maxGuidance > 1 ? data.subarray(data.length / 2) : data })
  }
  yield one('image_embeddings', all('image_embeddings')[0], await conditional('image_embeddings'), networkTolerance)
  const latents = (await conditional('image_latents')).data // repeated for every frame
  const single = flat({ data: latents.subarray(0, latents.length / frames) })
  yield one('image_latents', all('image_latents')[0], single, networkTolerance)
  const [first, ...steps] = all('latents')
  yield one('latents_init_scaled', first, await readNumbers(file, 'latents_init_scaled'), 1e-6)
  yield one('unet_in.0', all('unet_in')[0], await readNumbers(file, 'unet_in.0'), networkTolerance)
  yield one('unet_out', joinFloats(all('unet_out')), await readNumbers(file, 'unet_out'), networkTolerance)
  const expected = (await readNumbers(file, 'step_latents')).data
  const size = expected.length / steps.length
  for (const [i, step] of steps.entries()) {
    const goal = flat({ data: expected.subarray(i * size, (i + 1) * size) })
    yield one(`step_latents[${i}]`, step, goal, stepTolerance)
  }

  const chunked = (await readNumbers(file, 'frames_chunked')).data // [F,H,W,3] in 0..1
  const area = width * height
  const decoded = joinFloats(all('frames')) // [F,3,H,W] in -1..1
  const values = Float32Array.from(chunked, (_, i) => {
    const [c, pixel] = [i % 3, Math.floor(i / 3)]
    const value = decoded[(Math.floor(pixel / area) * 3 + c) * area + (pixel % area)] / 2 + 0.5
    return Math.min(Math.max(value, 0), 1)
  })
  yield compareAbsolutely(title, 'frames_chunked', values, chunked, frameTolerance)
  yield compareAbsolutely(title, 'frames_chunked, 8 bits', pixelsOf(result.frames), chunked, byteTolerance)
}

function flat({ data }: Pick<Numbers, 'data'>): Numbers {
  return { data, shape: [data.length] }
}

/** [F,H,W,3] in 0..1. */
function pixelsOf(frames: readonly Picture[]): Float32Array {
  return joinFloats(frames.map(({ data }) => Float32Array.from(data, byte => byte / 255)))
}

/** The frames 1 and 2, decoded with all others in one chunk: temporal layers see the frames of a chunk alone. */
export async function verifyOneChunk(
  title: string,
  { model, settings }: PipelineCase,
  runtime: Runtime,
  file: TensorFile,
): Promise<VerifyCase[]> {
  const { frames } = settings
  const expected = await readNumbers(file, 'frames_one_chunk')
  using steps = await readTensor(runtime, file, 'step_latents') // [steps,1,F,4,h,w]
  const latents = await lastOf(steps)
  try {
    const complete = completeSettings({ ...settings, decodeChunk: frames }, videoModelOf(model))
    const decoding = decodeFrames({ runtime, model, settings: complete }, latents)
    let next = await decoding.next()
    while (!next.done) next = await decoding.next()
    const actual = pixelsOf(next.value.slice(1, 1 + expected.shape[0]))
    return [compareAbsolutely(title, 'frames_one_chunk, 8 bits', actual, expected.data, byteTolerance)]
  } finally {
    latents.dispose()
  }
}

/** The last row of a tensor, on the same runtime. */
async function lastOf(rows: Tensor): Promise<Tensor> {
  const data = await rows.floats()
  const [count, ...shape] = rows.shape
  return Tensor.from(rows.runtime, data.slice(-data.length / count), shape)
}

async function* verify(
  folder: GoldenFolder,
  runtime: Runtime,
  claimed: readonly string[],
): AsyncGenerator<VerifyOutcome, void, undefined> {
  for (const name of claimed) {
    const title = `${folder.title}/${name}`
    const item = await readPipelineCase(folder, name)
    yield* withFile(folder, name, file =>
      attempt(title, async function* () {
        yield* verifyPictures(title, item, file)
        yield* comparePipelineRun(title, item, await runPipelineCase(item, runtime, file), file)
        if (file.tensors.has('frames_one_chunk')) yield* await verifyOneChunk(title, item, runtime, file)
      }),
    )
  }
}

export const pipelineKind: GoldenKind = {
  claim: folder =>
    folder.tensorFiles().filter(name => folder.files.has(`${name}.json`) && folder.files.has(`${name}.png`)),
  verify,
}
