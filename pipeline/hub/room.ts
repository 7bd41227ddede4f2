// Whether there is room for large files.

import { statfs } from 'node:fs/promises'
import { FileError } from '../../tensor/index.js'

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
