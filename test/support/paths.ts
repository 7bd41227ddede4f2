// Where the tests find the project's own files, whether they run from dist/ or elsewhere.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function findRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url))
  let folder = start
  while (!existsSync(join(folder, 'package.json'))) {
    if (folder === dirname(folder)) throw new Error(`no package.json in ${start} or in any folder above it`)
    folder = dirname(folder)
  }
  return folder
}

/** The project's root folder. */
export const projectRoot = findRoot()

/** A file of test/golden. */
export function golden(...parts: string[]): string {
  return join(projectRoot, 'test/golden', ...parts)
}
