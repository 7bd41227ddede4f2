// A folder of motions: all takes in it, without doubles, some of them held out.

import { readdir } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { reasonOf } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { findDoubles } from './doubles.js'
import { motionExtensions, readMotion } from './read.js'
import type { Motion } from './motion.js'

/** A motion with its place in the library, which tells actions and subjects apart. */
export interface Take extends Motion {
  /** Path inside the library, with forward slashes. */
  readonly name: string
}

/** The takes of a folder. */
export interface Library {
  readonly takes: readonly Take[]
  /** What was left out, and why: broken files, and takes that repeat another. */
  readonly skipped: readonly { name: string; reason: string }[]
}

const maxFiles = 100_000

/** Reads every motion under a folder, in the order of names. Throws a FileError if there is none that can be read. */
export async function readLibrary(folder: string, progress?: (name: string) => void): Promise<Library> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new FileError({ where: folder, what: 'no folder of motions', got: reasonOf(cause) }, { cause })
  })
  const paths = entries
    .filter(
      entry => entry.isFile() && (motionExtensions as readonly string[]).includes(extname(entry.name).toLowerCase()),
    )
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
  if (paths.length > maxFiles)
    throw new FileError({
      where: folder,
      what: 'too many files',
      expected: String(maxFiles),
      got: String(paths.length),
    })
  const takes: Take[] = []
  const skipped: { name: string; reason: string }[] = []
  for (const path of paths) {
    const name = relative(folder, path).split(sep).join('/')
    progress?.(name)
    try {
      takes.push({ ...(await readMotion(path)), name, text: actionOf(name) })
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      skipped.push({ name, reason: error.message })
    }
  }
  if (takes.length === 0)
    throw new FileError({
      where: folder,
      what: 'no motion in it that can be read',
      expected: motionExtensions.join(', '),
      got: skipped[0]?.reason ?? 'no such file',
    })
  const doubles = findDoubles(takes)
  for (const [i, first] of doubles) skipped.push({ name: takes[i].name, reason: `repeats ${takes[first].name}` })
  return { takes: takes.filter((_, i) => !doubles.has(i)), skipped }
}

/** What is done in a take, by the folder it lies in: `walking_extra/walking_13.txt` is walking. */
function actionOf(name: string): string | undefined {
  const folder = name.split('/').at(-2)
  return folder && /[a-z]{3}/i.test(folder) ? folder.replace(/_extra$/, '').replaceAll('_', ' ') : undefined
}

/** Takes whose name holds one of the words are held out, whole: for testing on subjects and actions never trained on. */
export function holdOut(takes: readonly Take[], words: readonly string[]): { train: Take[]; test: Take[] } {
  const isHeldOut = ({ name }: Take) => words.some(word => name.includes(word))
  return { train: takes.filter(take => !isHeldOut(take)), test: takes.filter(isHeldOut) }
}
