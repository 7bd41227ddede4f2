// Motion files of every format, by their names.

import { readdir } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { NodeFileSource, NpzFile } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { parseAcclaimMotion, parseAcclaimSkeleton } from './acclaim.js'
import { readAmass } from './amass.js'
import { parseBvh } from './bvh.js'
import { parseExpmap } from './expmap.js'
import type { Motion } from './motion.js'
import { retarget } from './retarget.js'
import { motionLimits } from './source.js'

/** Names of motion files end so. */
export const motionExtensions = ['.bvh', '.amc', '.txt', '.csv', '.npz'] as const

/**
 * Reads a motion: .bvh, .amc (with the only .asf of its folder as skeleton, or the one of its subject's number), .txt or
 * .csv of rotation vectors, .npz. Throws a FileError that tells what is wrong with it.
 */
export async function readMotion(path: string): Promise<Motion> {
  const extension = extname(path).toLowerCase()
  if (extension === '.npz') {
    const file = await NpzFile.open(await NodeFileSource.open(path))
    try {
      return await readAmass(file)
    } finally {
      await file.close()
    }
  }
  if (extension === '.bvh') return retarget(path, parseBvh(path, await readText(path)))
  if (extension === '.txt' || extension === '.csv') return retarget(path, parseExpmap(path, await readText(path)))
  if (extension === '.amc') {
    const skeletonPath = await skeletonOf(path)
    const skeleton = parseAcclaimSkeleton(skeletonPath, await readText(skeletonPath))
    return retarget(path, parseAcclaimMotion(path, await readText(path), skeleton))
  }
  throw new FileError({
    where: path,
    what: 'not a motion file by its name',
    expected: motionExtensions.join(', '),
    got: extension || 'none',
  })
}

async function readText(path: string): Promise<string> {
  const source = await NodeFileSource.open(path)
  try {
    const { size } = source
    if (size > motionLimits.bytes)
      throw new FileError({
        where: path,
        what: 'too large',
        expected: `${motionLimits.bytes} bytes`,
        got: String(size),
      })
    return new TextDecoder('latin1').decode(await source.read(0, size))
  } finally {
    await source.close()
  }
}

/** The skeleton beside a .amc file: named as the part of its name before the underscore, or the only one there. */
async function skeletonOf(path: string): Promise<string> {
  const folder = dirname(path)
  const names = (await readdir(folder)).filter(name => extname(name).toLowerCase() === '.asf')
  const own = names.find(name => basename(path).startsWith(`${basename(name, extname(name))}_`)) ?? names[0]
  if (own !== undefined && (names.length === 1 || basename(path).startsWith(basename(own, extname(own)))))
    return join(folder, own)
  throw new FileError({
    where: path,
    what: 'no skeleton',
    expected: 'one .asf file beside it',
    got: String(names.length),
  })
}
