// Folders, made one by one: Node's own recursive mkdir never returns where a file system refuses with ENOENT, as /proc
// does. Needs Node, whose modules are imported when a function is called.

import { reasonOf, systemError } from './system-error.js'

/** Makes a folder and those above it that are missing. Throws a FileError where that cannot be. */
export async function makeFolder(path: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises')
  try {
    for (const folder of await missingFolders(path))
      await mkdir(folder).catch((cause: unknown) => {
        if (reasonOf(cause) !== 'EEXIST') throw cause // else another program was quicker
      })
  } catch (cause) {
    throw systemError(path, 'the folder cannot be made', cause)
  }
}

/** A folder and those above it, as far as they are missing, the outermost first. */
export async function missingFolders(path: string): Promise<string[]> {
  const { dirname } = await import('node:path')
  return (await folderExists(path)) ? [] : [...(await missingFolders(dirname(path))), path]
}

/** Whether a folder is there; anything else in its place is an error. */
export async function folderExists(path: string): Promise<boolean> {
  const { stat } = await import('node:fs/promises')
  const stats = await stat(path).catch((cause: unknown) => {
    if (reasonOf(cause) === 'ENOENT') return undefined
    throw cause
  })
  if (stats && !stats.isDirectory()) throw new Error('a file of that name')
  return stats !== undefined
}
