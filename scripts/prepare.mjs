// Installs and builds whatever is missing, so that `npm test` and `npm run demo` work in a fresh clone.
// Node's own modules only: nothing may be installed yet when this runs.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const sourceFolders = ['tensor', 'kernels', 'nn', 'models', 'train', 'pipeline', 'bench', 'test', 'scripts']

/** Runs a command in the project's root with its output on the terminal; ends this process if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  })
  if (result.error) {
    console.error(`${command}: could not be started: ${result.error.message}`)
    process.exit(1)
  }
  if (result.status !== 0) process.exit(result.status ?? 1)
}

function newestSource(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && /\.(ts|wgsl|mjs)$/.test(entry.name) && !entry.name.endsWith('.generated.ts'))
      newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
  }
  return newest
}

const modified = path => (existsSync(path) ? statSync(path).mtimeMs : 0)

/** Installs from the lock file when node_modules is missing or older, then builds when a source is newer than dist/. */
export function prepare() {
  if (modified(join(root, 'node_modules/.package-lock.json')) < modified(join(root, 'package-lock.json'))) {
    console.log('npm ci: installing what package-lock.json names')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  }
  const folders = sourceFolders.map(name => join(root, name)).filter(existsSync)
  if (
    modified(join(root, 'dist/.built')) < Math.max(modified(join(root, 'tsconfig.json')), ...folders.map(newestSource))
  )
    run(process.execPath, [join(root, 'scripts/build.mjs')])
}
