// The working detector's packages: too large to come with the project (about 260 MB), so they are installed when asked
// for, into a folder of the user's, in the versions that are known to work.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { replaceFile } from '../../../tensor/files/index.js'
import { FileError } from '../../../tensor/index.js'
import { cacheFolders, ownFolder } from '../../../tensor/webgpu/embedded.js'
import { lock, manifest } from './lock.js'

const where = 'human-models'

/** Where `revision setup extract` installs. */
export function setupFolder(): string {
  return join(cacheFolders()[0], 'extract')
}

/** What is installed: `name@version`, those asked for first. */
export function setupPackages(): string[] {
  return Object.entries(manifest.dependencies).map(([name, version]) => `${name}@${version}`)
}

/** About how much disk it takes, MB. */
export const setupMegabytes = 260

// npm writes this file last.
const markOf = (folder: string) => join(folder, 'node_modules/.package-lock.json')

/** Whether a folder has all that the lock names. */
export async function isSetUp(folder = setupFolder()): Promise<boolean> {
  if (!existsSync(markOf(folder))) return false
  const text = await readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => '')
  return text === textOf(lock)
}

const textOf = (value: object) => `${JSON.stringify(value, null, 2)}\n`

/** Minutes after which npm is stopped. */
const patience = 15

/**
 * Installs the packages by npm, unless they are there. No script of theirs runs; npm checks every archive's hash.
 * @throws FileError if npm fails, is not there, or takes more than 15 minutes; or if the folder is not the user's own;
 *   the signal's reason
 */
export async function setUp(folder = setupFolder(), signal?: AbortSignal): Promise<void> {
  await ownFolder(folder)
  if (await isSetUp(folder)) return
  for (const [name, value] of [
    ['package.json', manifest],
    ['package-lock.json', lock],
  ] as const)
    await replaceFile(join(folder, name), append => append(new TextEncoder().encode(textOf(value))))
  const reason = await runNpm(folder, signal)
  signal?.throwIfAborted()
  if (reason !== undefined)
    throw new FileError({
      where: folder,
      what: 'npm could not install the detector',
      got: reason,
      hint: 'again when npm is there and its registry can be reached',
    })
}

/** npm's reason for failing, if it does. */
function runNpm(folder: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  return new Promise(resolve => {
    // Not spawn's own timeout, whose timer keeps the program alive where there is no npm.
    const limit = AbortSignal.timeout(patience * 60_000)
    const stop = signal ? AbortSignal.any([signal, limit]) : limit
    const npm = spawn('npm', args, { cwd: folder, shell: process.platform === 'win32', signal: stop })
    let errors = ''
    npm.stderr.on('data', (text: Buffer) => {
      errors = (errors + text.toString()).slice(0, 10_000)
    })
    npm.once('error', error => resolve(limit.aborted ? `stopped after ${patience} minutes` : error.message))
    npm.once('close', code => {
      if (code === 0) return resolve(undefined)
      const lines = errors.split('\n').filter(line => line.startsWith('npm error') && line.length > 10)
      const told = lines.slice(0, 2).join(', ').replaceAll('npm error ', '')
      resolve(told || `exit code ${code}`)
    })
  })
}

/** Loads and finds files of an installed package. */
export interface Packages {
  load(name: string): unknown
  /** The folder of a package. */
  folderOf(name: string): string
}

/**
 * The detector's packages: those of the program that uses this one, or those that `revision setup extract` installed.
 * @throws FileError if they are not there
 */
export function findPackages(folder = setupFolder()): Packages {
  const places = [import.meta.url, join(folder, 'index.js')]
  for (const place of places) {
    const require = createRequire(place)
    const folderOf = (name: string) => dirname(require.resolve(`${name}/package.json`))
    try {
      for (const name of Object.keys(manifest.dependencies)) folderOf(name)
    } catch {
      continue
    }
    return { load: name => require(name) as unknown, folderOf }
  }
  throw new FileError({
    where,
    what: 'the detector is not installed',
    hint: `revision setup extract (once, about ${setupMegabytes} MB), or another --detector`,
  })
}
