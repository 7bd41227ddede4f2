// Installs the peers where nothing else looks: only who compares pays for them.

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const manifests = ['package.json', 'package-lock.json']
// This runs as dist/bench/peers/install.js.
const projectRoot = fileURLToPath(new URL('../../..', import.meta.url))

/** The folder in whose node_modules the peers lie. */
export const peersFolder = join(projectRoot, '.cache/peers')

/** Installs what the lock file beside this file says, unless it is there. Gives the reason if npm cannot. */
export function installPeers(notice: (line: string) => void): string | undefined {
  const source = join(projectRoot, 'bench/peers')
  const text = (folder: string) => readFileSync(join(folder, 'package-lock.json'), 'utf8')
  // npm writes this file last.
  const done = join(peersFolder, 'node_modules/.package-lock.json')
  if (existsSync(done) && text(peersFolder) === text(source)) return undefined
  notice('installing peers into .cache/peers (about 520 MB) ...')
  mkdirSync(peersFolder, { recursive: true })
  for (const name of manifests) copyFileSync(join(source, name), join(peersFolder, name))
  const { status, error, stderr } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: peersFolder, encoding: 'utf8', shell: process.platform === 'win32' },
  )
  if (status === 0) return undefined
  const reasons = stderr.split('\n').filter(line => line.startsWith('npm error'))
  return error?.message ?? reasons.slice(0, 2).join(', ').replaceAll('npm error ', '')
}
