// Motion files of every format, by their names.

import { readdir } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { NodeFileSource, NpzFile } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { parseAcclaimMotion, parseAcclaimSkeleton } from './acclaim.js'
import { readAmass } from './amass.js'
import { parseBvh } from './bvh.js'
import { parseExpmap } from './expmap.js'
import { rateOfFolder } from './frame-rate.js'
import type { Motion } from './motion.js'
import { retarget } from './retarget.js'
import { motionLimits, type SourceMotion } from './source.js'
import { readText } from './text-file.js'

/** Names of motion files end so. */
export const motionExtensions = ['.bvh', '.amc', '.txt', '.csv', '.npz'] as const

/** What a reader may be told of a file. */
export interface ReadMotionOptions {
  /** Frames a second of the capture. Default: what `fps.json` beside the file says, or else the file itself. */
  readonly fps?: number
}

/**
 * Reads a motion: .bvh, .amc (with the only .asf of its folder as skeleton, or the one of its subject's number), .txt or
 * .csv of rotation vectors, .npz. Throws a FileError that tells what is wrong with it.
 */
export async function readMotion(path: string, options: ReadMotionOptions = {}): Promise<Motion> {
  if (extname(path).toLowerCase() !== '.npz') return retarget(path, await readSource(path, options))
  const file = await NpzFile.open(await NodeFileSource.open(path))
  try {
    return await readAmass(file)
  } finally {
    await file.close()
  }
}

/** Reads a captured motion on its own skeleton; any format but .npz. Errors: as `readMotion`. */
export async function readSource(path: string, { fps }: ReadMotionOptions = {}): Promise<SourceMotion> {
  const source = await parseSource(path)
  return { ...source, fps: fps ?? (await rateOfFolder(dirname(path))) ?? source.fps }
}

async function parseSource(path: string): Promise<SourceMotion> {
  const extension = extname(path).toLowerCase()
  const text = () => readText(path, motionLimits.bytes)
  if (extension === '.bvh') return parseBvh(path, await text())
  if (extension === '.txt' || extension === '.csv') return parseExpmap(path, await text())
  if (extension === '.amc') {
    const skeletonPath = await skeletonOf(path)
    const skeleton = parseAcclaimSkeleton(skeletonPath, await readText(skeletonPath, motionLimits.bytes))
    return parseAcclaimMotion(path, await text(), skeleton)
  }
  throw new FileError({
    where: path,
    what: 'not a motion file by its name',
    expected: motionExtensions.join(', '),
    got: extension || 'none',
  })
}

/** The skeleton beside a .amc file: named as the part of its name before the underscore, or the only one there. */
async function skeletonOf(path: string): Promise<string> {
  const folder = dirname(path)
  const names = (await readdir(folder).catch((): string[] => [])).filter(name => extname(name).toLowerCase() === '.asf')
  const own = names.find(name => basename(path).startsWith(`${basename(name, extname(name))}_`))
  const skeleton = own ?? (names.length === 1 ? names[0] : undefined)
  if (skeleton !== undefined) return join(folder, skeleton)
  throw new FileError({
    where: path,
    what: 'no skeleton',
    expected: 'one .asf file beside it, or one of its name up to the underscore',
    got: String(names.length),
  })
}
