// The embedded adapter: SwiftShader, a Vulkan driver that runs on the CPU, out of the optional npm package
// @sparticuz/chromium. It needs no system packages and no rights, only Linux on x64. Node only.

import { createRequire } from 'node:module'
import { constants, homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { lstat, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { AdapterError, FileError } from '../errors.js'
import { readTar } from './tar.js'

const where = 'embedded adapter'
const packageName = '@sparticuz/chromium'
const icdName = 'vk_swiftshader_icd.json'
const loaderName = 'libvulkan.so.1'
const fileNames = ['libvk_swiftshader.so', loaderName, icdName]
const sizesName = 'sizes.json'

/** The archive holds 15 MB; whatever unpacks to more is not the one we know. */
const maxArchiveBytes = 64 * 2 ** 20

/** Where the driver lies, ready for use. */
export interface EmbeddedDriver {
  /** The json that tells a Vulkan loader where the driver is. */
  icd: string
  /** A Vulkan loader, for machines that have none. */
  loader: string
}

/** The package's folder and version, or undefined if the optional package is not installed. */
function findPackage(): { folder: string; version: string } | undefined {
  let folder: string
  try {
    folder = dirname(createRequire(import.meta.url).resolve(packageName))
  } catch {
    return undefined
  }
  // The package exports neither its package.json nor the archive, so walk up from its entry point.
  for (; dirname(folder) !== folder; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }
    if (name === packageName && /^[\w.+-]+$/.test(version ?? '')) return { folder, version: version as string }
  }
  return undefined
}

/**
 * Makes a folder and its missing parents. Node's own recursive mkdir never returns where the system refuses by ENOENT.
 */
async function makeFolder(folder: string): Promise<void> {
  const make = () => mkdir(folder, { mode: 0o700 })
  try {
    await make().catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT' || dirname(folder) === folder) throw cause
      await makeFolder(dirname(folder))
      await make()
    })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
  }
}

/**
 * Makes sure that a folder exists and is ours alone to write: a shared library is going to be loaded from it.
 * @throws FileError if somebody else could write there; the system's error if it cannot be made
 */
export async function ownFolder(folder: string): Promise<void> {
  await makeFolder(folder)
  const facts = await lstat(folder)
  if (facts.isDirectory() && facts.uid === process.getuid?.() && (facts.mode & 0o022) === 0) return
  throw new FileError({ where: folder, what: 'not a safe cache folder', expected: 'one that only its owner can write' })
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    const sizes = JSON.parse(await readFile(join(folder, sizesName), 'utf8')) as Record<string, unknown>
    const facts = await Promise.all(fileNames.map(name => stat(join(folder, name))))
    return facts.every((fact, i) => fact.isFile() && fact.size === sizes[fileNames[i]])
  } catch {
    return false
  }
}

/** A half-written file never carries the final name, and several processes may write the same one at once. */
async function writeWhole(file: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  try {
    await writeFile(temporary, bytes, { mode: 0o600, flag: 'wx' })
    await rename(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
}

/**
 * Unpacks the driver's three files from the brotli-packed tar into a folder, unless they are there in full size. Other
 * entries are ignored; a truncated or incomplete folder is repaired.
 * @throws FileError if the archive is malformed or the folder is not ours; the system's error if it cannot be written
 */
export async function unpackDriver(archive: string, folder: string): Promise<EmbeddedDriver> {
  await ownFolder(folder)
  if (!(await isComplete(folder))) {
    const tar = await promisify(brotliDecompress)(await readFile(archive), { maxOutputLength: maxArchiveBytes }).catch(
      (cause: Error) => {
        throw new FileError({ where: archive, what: 'does not unpack', got: cause.message }, { cause })
      },
    )
    const files = readTar(tar, fileNames)
    for (const [name, bytes] of files) await writeWhole(join(folder, name), bytes)
    // Written last: it vouches for the others.
    const sizes = Object.fromEntries([...files].map(([name, bytes]) => [name, bytes.length]))
    await writeWhole(join(folder, sizesName), JSON.stringify(sizes))
  }
  return { icd: join(folder, icdName), loader: join(folder, loaderName) }
}

/** Cache folders in order of preference; the last serves users without a writable home. */
export function cacheFolders(): string[] {
  const cache = process.env.XDG_CACHE_HOME?.startsWith('/') ? process.env.XDG_CACHE_HOME : join(homedir(), '.cache')
  return [join(cache, 'revision'), join(tmpdir(), `revision-${process.getuid?.()}`)]
}

/** Why this machine cannot have the embedded adapter, or undefined if it can. */
export function embeddedObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `it is for linux-x64 only, not ${process.platform}-${process.arch}`
  return findPackage() === undefined ? `the optional package ${packageName} is not installed` : undefined
}

/**
 * The SwiftShader driver, unpacked into the user's cache if need be (about 0.2 s, 7 MB).
 * @throws AdapterError on other systems, without the optional package, or if no cache folder will do
 */
export async function embeddedDriver(): Promise<EmbeddedDriver> {
  const obstacle = embeddedObstacle()
  const source = findPackage()
  if (obstacle !== undefined || source === undefined) {
    throw new AdapterError({
      where,
      what: `not available: ${obstacle}`,
      hint: `npm install ${packageName} on Linux x64`,
    })
  }
  const failures: Error[] = []
  for (const cache of cacheFolders()) {
    try {
      await ownFolder(cache)
      return await unpackDriver(
        join(source.folder, 'bin/swiftshader.tar.br'),
        join(cache, `swiftshader-${source.version}`),
      )
    } catch (cause) {
      failures.push(cause as Error)
    }
  }
  throw new AdapterError(
    {
      where,
      what: 'cannot be unpacked',
      got: failures.map(failure => failure.message).join(' and '),
      hint: 'XDG_CACHE_HOME=<a folder of your own>',
    },
    { cause: failures[0] },
  )
}

/** Loads a plain shared library. Node takes it for an addon and always throws; what it throws tells how it went. */
function openLibrary(file: string, flags: number): Error | undefined {
  try {
    process.dlopen({ exports: {} }, file, flags)
  } catch (cause) {
    if (!(cause as Error).message.includes('did not self-register')) return cause as Error
  }
  return undefined
}

let systemLoader: boolean | undefined

/** Whether the system has a Vulkan loader. Asking first spares the user the trace that Dawn prints without one. */
export function hasVulkanLoader(): boolean {
  systemLoader ??= openLibrary(loaderName, constants.dlopen.RTLD_LAZY) === undefined
  return systemLoader
}

/**
 * Maps a Vulkan loader into the process for good. Dawn, which looks for the same library name, then finds this one.
 * @throws AdapterError if the library cannot be loaded
 */
export function mapLoader(file: string): void {
  // Node closes what it takes for a broken addon; RTLD_NODELETE (0x1000, not among Node's constants) keeps it mapped.
  const failure = openLibrary(file, constants.dlopen.RTLD_NOW | 0x1000)
  if (failure === undefined) return
  const hint = 'XDG_CACHE_HOME=<a folder of your own that programs may run from>'
  throw new AdapterError(
    { where, what: 'its Vulkan loader does not load', got: failure.message, hint },
    { cause: failure },
  )
}

/**
 * Runs a call while the environment names one Vulkan driver and no other, and restores it at once: what a Vulkan loader
 * reads during the call is this, what child processes and later calls see is not.
 */
export function underDriver<T>(icd: string, call: () => T): T {
  const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']
  const before = names.map(name => process.env[name])
  for (const name of names) process.env[name] = icd
  try {
    return call()
  } finally {
    names.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name]
      else process.env[name] = before[i]
    })
  }
}
