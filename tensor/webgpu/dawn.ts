// WebGPU in Node: Dawn, by the npm package `webgpu`, on the system's drivers or on the embedded one. Node only.

import { readdirSync } from 'node:fs'
import { AdapterError } from '../errors.js'
import { embeddedDriver, hasVulkanLoader, mapLoader, underDriver } from './embedded.js'

/** An adapter and the GPU object it came from. */
export interface Found {
  gpu: GPU
  adapter: GPUAdapter
}

// Subgroup matrices are an unsafe API to Dawn; its timestamps come in steps of 65 us unless told otherwise.
const unsafe = ['allow_unsafe_apis']
const flagsOf = (toggles: string[]) => [
  `enable-dawn-features=${toggles.join(',')}`,
  'disable-dawn-features=timestamp_quantization',
]

// One GPU object per driver and set of flags, kept as long as the process. Dawn polls it through a bare pointer while a
// promise of one of its devices is pending: were it collected meanwhile, the process would crash or hang.
const instances = new Map<string, GPU>()

async function loadDawn(): Promise<(flags: string[]) => GPU> {
  try {
    const { create, globals } = await import('webgpu')
    for (const [name, value] of Object.entries(globals)) {
      if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    }
    return create
  } catch (cause) {
    throw new AdapterError(
      {
        where: 'adapter',
        what: 'the npm package webgpu does not load',
        expected: 'macOS, Windows, or Linux with glibc 2.34 or newer',
        got: (cause as Error).message.split('\n')[0],
      },
      { cause },
    )
  }
}

/** Dawn finds its drivers before requestAdapter returns its promise, and rejects if none has the name in the flags. */
async function request(create: (flags: string[]) => GPU, flags: string[], key: string): Promise<Found | undefined> {
  const gpu = instances.get(key) ?? create(flags)
  instances.set(key, gpu)
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)
  if (adapter !== null) return { gpu, adapter }
  // An instance looks for drivers only once: the next one shall look anew.
  instances.delete(key)
  return undefined
}

/**
 * Files of /dev by which drivers reach a GPU: Linux' own, NVIDIA's and Tegra's, AMD's for computing, Windows' (in WSL),
 * Mali's, Adreno's, PowerVR's and Vivante's.
 */
const gpuFiles = /^(dri|nvidia|nvmap|nvgpu|nvhost|kfd|dxg|mali|kgsl|pvr|galcore)/

/**
 * Whether a GPU is possible. Asking first spares the user what Dawn prints about software drivers that nobody wants, and
 * the time to open them. Who names drivers in the environment is believed.
 * @param files names in /dev; undefined where they say nothing
 */
export function mayHaveGpu(files = filesOfDev()): boolean {
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return true
  return files === undefined || files.some(name => gpuFiles.test(name))
}

function filesOfDev(): string[] | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readdirSync('/dev')
  } catch {
    return undefined
  }
}

/**
 * The best adapter of the system's own drivers (a GPU before a CPU), or undefined if there is none.
 * @param name part of the driver's name for the adapter, to have that one
 * @throws AdapterError if Dawn does not run on this system
 */
export async function systemAdapter(name?: string): Promise<Found | undefined> {
  const create = await loadDawn()
  if (process.platform === 'linux' && !hasVulkanLoader()) return undefined
  const flags = name === undefined ? flagsOf(unsafe) : [...flagsOf(unsafe), `adapter=${name}`]
  return request(create, flags, flags.join(' '))
}

/**
 * The embedded adapter: SwiftShader.
 * @param robust false drops the bounds checks from shaders (1.3 to 1.8 times as fast): an index out of bounds then
 * reads
 *   or writes this process's memory
 * @throws AdapterError if it is not to be had
 */
export async function embeddedAdapter(robust: boolean): Promise<Found> {
  const create = await loadDawn()
  const driver = await embeddedDriver()
  const flags = flagsOf(robust ? unsafe : [...unsafe, 'disable_robustness'])
  const ask = () => underDriver(driver.icd, () => request(create, flags, `${driver.icd} ${flags.join(' ')}`))
  let found = hasVulkanLoader() ? await ask() : undefined
  if (found === undefined) {
    mapLoader(driver.loader)
    found = await ask()
  }
  if (found !== undefined) return found
  throw new AdapterError({
    where: 'embedded adapter',
    what: 'Dawn does not accept it',
    expected: 'a SwiftShader device',
  })
}
