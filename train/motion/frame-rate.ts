// The true frame rate of captured files whose own is wrong: a small file beside them.

import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigReader } from '../../models/config-reader.js'
import { readText } from './text-file.js'

/** The file that tells the rate of all motions in its folder: {"fps": 60}. */
export const rateFile = 'fps.json'

// It holds one number.
const mostBytes = 4096

/** What the folder says about its motions' frames a second, if it does. Throws a FileError for a malformed file. */
export async function rateOfFolder(folder: string): Promise<number | undefined> {
  const path = join(folder, rateFile)
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (!isThere) return undefined
  const reader = new ConfigReader(path, await readText(path, mostBytes))
  const fps = reader.number('fps', { min: 1, max: 1000 })
  reader.finish()
  return fps
}
