// Where the tests find the project's own files, whether they run from dist/ or elsewhere.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** The project's root folder. */
export const projectRoot = findRoot()

/** A file of test/golden. */
export function golden(...parts: string[]): string {
  return join(projectRoot, 'test/golden', ...parts)
}
