// Golden folders on disk: found, and bounded before anything in them is read.

import { opendir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { readConfigText } from '../../models/checkpoint.js'
import { parseObject } from '../../models/config-reader.js'
import { openSafetensors, type TensorFile } from '../../tensor/files/index.js'
import { reasonOf, systemError } from '../../tensor/files/system-error.js'
import { FileError } from '../../tensor/index.js'

// Folders below the one that is asked for: clip-vision-tiny/quickgelu.
const maxDepth = 2
const maxFolders = 1000
const maxEntries = 4096
const maxJsonBytes = 2 ** 24

const ending = '.safetensors'

/** A folder that may hold golden files. */
export class GoldenFolder {
  constructor(
    readonly path: string,
    /** Where it is below the folder that was asked for; empty for that one itself. */
    readonly place: string,
    readonly files: ReadonlySet<string>,
  ) {}

  /** What outcomes call a network's folder. */
  get title(): string {
    return this.place || basename(resolve(this.path))
  }

  /** What outcomes call a file that says by itself what it is. */
  titleOf(file: string): string {
    return join(this.place, file)
  }

  /** Opens a safetensors file of the folder, its name given without ending. */
  open(name: string): Promise<TensorFile> {
    return openSafetensors(join(this.path, name + ending))
  }

  /** Reads a JSON object; throws a FileError if it is none, or larger than any golden file. */
  async readObject(file: string): Promise<Record<string, unknown>> {
    return parseObject(join(this.path, file), await this.readText(file))
  }

  readText(file: string): Promise<string> {
    return readConfigText(this.path, file, maxJsonBytes)
  }

  /** The safetensors files whose name begins so, without ending. */
  tensorFiles(prefix = ''): string[] {
    const names = [...this.files].filter(name => name.startsWith(prefix) && name.endsWith(ending))
    return names.map(name => name.slice(0, -ending.length))
  }
}

/**
 * A folder and those below it, two levels deep. Throws a FileError if it is none, cannot be read, or holds far more
 * than golden files.
 */
export async function findFolders(path: string): Promise<GoldenFolder[]> {
  const isFolder = await stat(path).then(
    found => found.isDirectory(),
    (cause: unknown) => {
      if (reasonOf(cause) === 'ENOENT') throw new FileError({ where: path, what: 'there is no such folder' })
      throw systemError(path, 'cannot be read', cause)
    },
  )
  if (!isFolder) throw new FileError({ where: path, what: 'not a folder', expected: 'a folder of golden files' })
  const found: GoldenFolder[] = []
  const visit = async (place: string, depth: number): Promise<void> => {
    const { files, folders } = await entriesOf(join(path, place))
    if (found.push(new GoldenFolder(join(path, place), place, files)) > maxFolders)
      throw new FileError({ where: path, what: 'too many folders', expected: `at most ${maxFolders}` })
    if (depth < maxDepth) for (const name of folders) await visit(join(place, name), depth + 1)
  }
  await visit('', 0)
  return found
}

/** What is in a folder, in the order of names; hidden folders are passed over. */
async function entriesOf(path: string): Promise<{ files: Set<string>; folders: string[] }> {
  const files: string[] = []
  const folders: string[] = []
  const refused = (cause: unknown): never => {
    throw systemError(path, 'cannot be read', cause)
  }
  const entries = await opendir(path).catch(refused)
  for await (const entry of entries) {
    if (files.length + folders.length >= maxEntries)
      throw new FileError({ where: path, what: 'too many files', expected: `at most ${maxEntries}` })
    const { name } = entry
    const isFolder = entry.isSymbolicLink() ? await leadsToFolder(join(path, name)) : entry.isDirectory()
    if (!isFolder) files.push(name)
    else if (!name.startsWith('.')) folders.push(name)
  }
  return { files: new Set(files.sort()), folders: folders.sort() }
}

function leadsToFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}
