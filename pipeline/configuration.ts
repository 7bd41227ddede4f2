// What decides every bit of a video, in short: how two runs are known to be the same one.

import { createHash, type Hash } from 'node:crypto'
import type { ModelFolder } from '../models/svd/folder.js'
import { UsageError, type Runtime } from '../tensor/index.js'
import type { Picture } from './media/picture.js'
import type { PartMask } from '../models/svd/motion-condition.js'
import { planClips, type Clip, type ClipOptions } from './long/clips.js'
import type { InjectedNoise } from './noise.js'
import type { MemoryOptions } from './plan/memory.js'
import type { EulerConfig } from './schedulers/euler.js'
import type { GenerateSettings } from './settings.js'

/** Each part of a run under its name: a setting as it is, and of what is large the SHA-256. */
export type Configuration = Readonly<Record<string, string>>

/** What a run is made of. */
export interface RunParts {
  readonly model: ModelFolder
  readonly scheduler: EulerConfig
  readonly settings: GenerateSettings
  readonly image: Picture
  readonly masks?: readonly (PartMask | undefined)[]
  /** How a long video is cut. */
  readonly clips?: ClipOptions
  /** Where the seed does not decide. */
  readonly noise?: InjectedNoise
  readonly runtime: Runtime
  /** How memory is gone about, which decides the order of sums. */
  readonly memory: MemoryOptions
}

/**
 * The configuration of a run. All weights are read, in pieces, wherever they lie: two folders of the same networks are
 * the same model. Throws a FileError where they cannot be read, or the signal's reason.
 */
export async function configurationOf(
  { model, scheduler, settings, image, masks, clips, noise, runtime, memory }: RunParts,
  signal?: AbortSignal,
): Promise<Configuration> {
  return {
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    model: await modelDigest(model, scheduler, signal),
    image: pictureDigest(image),
    clips: clipsText(planClips(settings.frames, clips)),
    masks: masksDigest(masks),
    noise: noise ? digest(hash => hash.update(noise.augmentation).update(noise.latents)) : 'of the seed',
    memory: `${memory.lowMemory ? 'low' : 'any'}, at most ${memory.maxMemory ?? 'all'}`,
    // The same bits come from any number of threads.
    runtime: `${runtime.name}: ${runtime.description.replace(/, (one thread|\d+ threads)/, '')}`,
  }
}

/** How a long video is cut, in short. */
export function clipsText(clips: readonly Clip[]): string {
  return clips.length === 1 ? 'one' : clips.map(({ first, end }) => `${first}-${end}`).join(' ')
}

/** The SHA-256 of a model: of its configurations and all weights. Errors: as configurationOf. */
export async function modelDigest(
  { unet, vae, imageEncoder }: ModelFolder,
  scheduler: EulerConfig,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256')
  hash.update(JSON.stringify(scheduler))
  for (const { config, openWeights } of [unet, vae, imageEncoder]) {
    hash.update(JSON.stringify(config))
    const file = await openWeights()
    try {
      for (const name of [...file.tensors.keys()].sort()) {
        const { dtype, shape } = file.tensors.get(name)!
        hash.update(JSON.stringify([name, dtype, shape]))
        for await (const { data } of file.chunks(name)) {
          signal?.throwIfAborted()
          hash.update(data)
        }
      }
    } finally {
      await file.close()
    }
  }
  return hash.digest('hex')
}

/** The SHA-256 of part masks, or that there are none. */
function masksDigest(masks: readonly (PartMask | undefined)[] | undefined): string {
  return masks ? digest(hash => hashMasks(hash, masks)) : 'none'
}

function hashMasks(hash: Hash, masks: readonly (PartMask | undefined)[]): void {
  for (const mask of masks) {
    hash.update(mask ? `mask ${mask.confidence}` : 'no mask')
    if (mask) hashMap(hash, mask.labels)
    if (mask?.region) hashMap(hash.update('region'), mask.region)
  }
}

/** The SHA-256 of a picture's pixels. */
export function pictureDigest(picture: Picture): string {
  return digest(hash => hashMap(hash, picture))
}

function hashMap(hash: Hash, { width, height, data }: Picture): void {
  hash.update(`${width} x ${height}`).update(data)
}

/** A SHA-256 in hexadecimal digits. */
export function digest(feed: (hash: Hash) => unknown): string {
  const hash = createHash('sha256')
  feed(hash)
  return hash.digest('hex')
}

/** Throws a UsageError that names what differs from what was saved at `where`; `what` says what that is. */
export function checkSameConfiguration(
  where: string,
  what: string,
  configuration: Configuration,
  saved: Readonly<Record<string, unknown>>,
): void {
  const differs = Object.keys(configuration).filter(name => saved[name] !== configuration[name])
  if (differs.length === 0) return
  const list = (of: Readonly<Record<string, unknown>>) => differs.map(name => `${name} ${brief(of[name])}`).join(', ')
  throw new UsageError({
    where,
    what,
    expected: list(configuration),
    got: list(saved),
    hint: 'the settings of that run, or another name',
  })
}

/** Digests are told by their first digits, which differ as well. */
function brief(value: unknown): string {
  if (typeof value !== 'string') return 'unknown'
  const shown = /^[\da-f]{64}$/.test(value) ? value.slice(0, 8) : value
  return shown.length > 80 ? `${shown.slice(0, 80)}...` : shown
}
