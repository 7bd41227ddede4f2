// Folders for large files, and whether there is room in them.

import { mkdir, statfs } from 'node:fs/promises'
import { FileError } from '../../tensor/index.js'
import { reasonOf } from '../media/atomic.js'
import { missingFolders } from '../media/output.js'

/** Makes a folder and those above it; throws a FileError where that cannot be. */
export async function makeFolder(path: string): Promise<void> {
  try {
    for (const folder of await missingFolders(path)) await mkdir(folder)
  } catch (cause) {
    throw new FileError({ where: path, what: 'the folder cannot be made', got: reasonOf(cause) }, { cause })
  }
}

/** Throws a FileError if the disk of a folder has not so many bytes left. */
export async function checkRoom(folder: string, bytes: number): Promise<void> {
  // A file system that does not tell is given the benefit of the doubt.
  const disk = await statfs(folder).catch(() => undefined)
  const free = disk ? disk.bavail * disk.bsize : Infinity
  if (free < bytes)
    throw new FileError({
      where: folder,
      what: 'not enough room on the disk',
      expected: `${bytes} bytes`,
      got: String(free),
      hint: 'a folder on another disk',
    })
}
