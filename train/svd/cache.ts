// Clips as the UNet is trained on them, made once by the VAE and the image encoder and kept on disk: a file a clip,
// named by a hash of all that it depends on.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { latentChannels } from '../../models/svd/latents.js'
import { latentPixels } from '../../models/svd/vae-config.js'
import {
  makeFolder,
  openSafetensors,
  writeSafetensors,
  type SafetensorsEntry,
  type TensorFile,
} from '../../tensor/files/index.js'
import { FileError, Generator, showShape, type Runtime, type Shape } from '../../tensor/index.js'
import type { Base } from './base.js'
import { hashFile, listClips, readClip } from './clips.js'
import type { ClipSettings } from './config.js'
import { encodeClip, loadEncoders, networksHash, type EncodedClip, type Encoders } from './encode.js'

// Raised whenever the files come out otherwise.
const version = 1

/** A clip on disk. */
export interface CachedClip {
  readonly name: string
  /** Hash of all that it depends on. */
  readonly key: string
  readonly path: string
}

/** Which clips are encoded, how, and where they are kept. */
export interface CacheOptions {
  /** Folder of clips. */
  readonly data: string
  /** Folder that the files go to. */
  readonly cache: string
  readonly settings: ClipSettings
  readonly seed: number
  readonly signal?: AbortSignal
}

/** What filling the cache tells. */
export type CacheEvent =
  { type: 'clip'; name: string; clip: number; clips: number } | { type: 'skipped'; name: string; reason: string }

/**
 * Encodes all clips of a folder that are not in the cache yet. Those that cannot be read are told and left out. Throws
 * a FileError if none is left or the disk refuses, what loading the networks throws, and the signal's reason.
 */
export async function* fillCache(
  runtime: Runtime,
  base: Base,
  { data, cache, settings, seed, signal }: CacheOptions,
): AsyncGenerator<CacheEvent, CachedClip[], undefined> {
  const names = await listClips(data)
  await makeFolder(cache)
  const { frames, stride, width, height, pictures } = settings
  const facts = JSON.stringify({ version, frames, stride, width, height, pictures, seed })
  const networks = await networksHash(base)
  const clips: CachedClip[] = []
  let encoders: Encoders | undefined
  try {
    for (const [i, name] of names.entries()) {
      signal?.throwIfAborted()
      const path = join(data, name)
      const look = async () => {
        const key = createHash('sha256')
          .update(facts)
          .update(networks)
          .update(await hashFile(path))
          .digest('hex')
        const clip = { name, key, path: join(cache, `${key}.safetensors`) }
        return { clip, raw: (await isWhole(clip, base, settings)) ? undefined : await readClip(path, settings) }
      }
      const found = await look().catch((error: unknown) => {
        if (error instanceof FileError) return error
        throw error
      })
      if (found instanceof FileError) {
        yield { type: 'skipped', name, reason: found.message }
        continue
      }
      const { clip, raw } = found
      if (raw) {
        encoders ??= await loadEncoders(runtime, base, signal)
        // The key seeds the noise, so that the same clip gives the same file.
        const random = new Generator(parseInt(clip.key.slice(0, 8), 16))
        await write(clip.path, await encodeClip(runtime, encoders, raw, settings, random), base, settings)
      }
      clips.push(clip)
      yield { type: 'clip', name, clip: i + 1, clips: names.length }
    }
  } finally {
    encoders?.vae.dispose()
    encoders?.clip.dispose()
  }
  if (clips.length === 0) throw new FileError({ where: data, what: 'no clip in it that can be read' })
  return clips
}

/** Reads a clip back; throws a FileError if it is not what `fillCache` writes. */
export async function readCached({ path }: CachedClip, base: Base, settings: ClipSettings): Promise<EncodedClip> {
  const file = await openSafetensors(path)
  try {
    checkLayout(file, base, settings)
    const floats = async (name: string) => (await file.read(name)).data as Float32Array
    const labels = file.tensors.has('labels') ? ((await file.read('labels')).data as Uint8Array) : undefined
    const [latents, pictures, strengths, embedding] = await Promise.all(
      ['latents', 'pictures', 'strengths', 'embedding'].map(floats),
    )
    return { latents, pictures, strengths, embedding, labels }
  } finally {
    await file.close()
  }
}

async function write(path: string, clip: EncodedClip, base: Base, settings: ClipSettings): Promise<void> {
  const shapes = shapesOf(base, settings)
  const entries = (Object.keys(shapes) as (keyof EncodedClip)[]).flatMap((name): SafetensorsEntry[] => {
    const data = clip[name]
    return data ? [{ name, dtype: dtypeOf(name), shape: shapes[name], data }] : []
  })
  await writeSafetensors(path, entries)
}

const dtypeOf = (name: string) => (name === 'labels' ? 'u8' : 'f32')

function shapesOf(
  { vae, imageEncoder }: Base,
  { frames, pictures, width, height }: ClipSettings,
): Record<keyof EncodedClip, Shape> {
  const scale = latentPixels(vae.config)
  const size = [height / scale, width / scale]
  return {
    latents: [frames, latentChannels, ...size],
    pictures: [pictures, latentChannels, ...size],
    strengths: [pictures],
    embedding: [imageEncoder.config.projectionDim],
    labels: [frames, ...size],
  }
}

function checkLayout(file: TensorFile, base: Base, settings: ClipSettings): void {
  for (const [name, shape] of Object.entries(shapesOf(base, settings))) {
    const found = file.tensors.get(name)
    const dtype = dtypeOf(name)
    if (name === 'labels' && !found) continue
    if (found?.dtype !== dtype || String(found.shape) !== String(shape))
      throw new FileError({
        where: file.name,
        what: `${name} does not fit`,
        expected: `${dtype} ${showShape(shape)}`,
        got: found ? `${found.dtype} ${showShape(found.shape)}` : 'nothing',
        hint: 'deleting the file',
      })
  }
}

/** Whether the file is there; one that is broken is made anew. */
async function isWhole({ path }: CachedClip, base: Base, settings: ClipSettings): Promise<boolean> {
  try {
    const file = await openSafetensors(path)
    try {
      checkLayout(file, base, settings)
      return true
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof FileError) return false
    throw error
  }
}
