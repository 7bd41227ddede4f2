// The choice of a WebGPU adapter: a GPU if there is one, else a driver that runs on the CPU. Loads in browsers too:
// what belongs to Node alone is imported only there.

import { AdapterError, UsageError } from '../errors.js'
import type { Found } from './dawn.js'

const wishes = ['hardware', 'lavapipe', 'swiftshader'] as const

/** A kind of adapter that can be asked for, by argument or by REVISION_ADAPTER. */
export type AdapterWish = (typeof wishes)[number]

/** What an adapter turned out to be; `software` is any other driver that runs on the CPU. */
export type AdapterKind = AdapterWish | 'software'

export interface AdapterOptions {
  /** Say nothing about a software adapter; REVISION_QUIET does the same. */
  quiet?: boolean
  /** Where the one line about a software adapter goes instead of standard error. */
  notice?: (line: string) => void
  /**
   * Drop the bounds checks from shaders on the embedded adapter, and only there. Any index out of bounds then reads or
   * writes this process's memory: for kernels proven in bounds, never in the tests that prove them.
   */
  unsafeNoRobustness?: boolean
}

/** An adapter, what it is and why it was taken. It makes one device (openDevice). */
export interface OpenedAdapter extends Found {
  kind: AdapterKind
  /** One line for people; never empty. */
  description: string
  why: string
}

/** A shape of matrix product that subgroups of an adapter can do together: result [M,N] += left [M,K] right [K,N]. */
export interface SubgroupMatrixConfig {
  M: number
  N: number
  K: number
  /** WGSL-like names: f32, f16, u32, i32, u8, i8. */
  componentType: string
  resultComponentType: string
}

/** The limits that kernels look at, and that a device is opened with at the adapter's best. Sizes in bytes. */
export const limitNames = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
  'minStorageBufferOffsetAlignment',
  'minUniformBufferOffsetAlignment',
] as const

export type AdapterLimits = Record<(typeof limitNames)[number], number>

/** The WebGPU name of each feature that kernels use where it is there. */
export const featureNames = {
  f16: 'shader-f16',
  subgroups: 'subgroups',
  timestamps: 'timestamp-query',
  subgroupMatrix: 'chromium-experimental-subgroup-matrix',
} as const

/** Plain facts about an adapter: what kernels choose their variants by and `doctor` prints. */
export interface AdapterFacts {
  kind: AdapterKind
  vendor: string
  architecture: string
  device: string
  /** One line for people; never empty. */
  description: string
  /** Runs on the CPU. */
  isFallback: boolean
  features: Record<keyof typeof featureNames, boolean>
  /** Lanes of a subgroup, least and most; 0 without subgroups. */
  subgroupMinSize: number
  subgroupMaxSize: number
  subgroupMatrixConfigs: SubgroupMatrixConfig[]
  limits: AdapterLimits
}

function kindOf({ architecture, device, description, isFallbackAdapter }: GPUAdapterInfo): AdapterKind {
  const names = `${architecture} ${device} ${description}`.toLowerCase()
  if (names.includes('swiftshader')) return 'swiftshader'
  if (names.includes('llvmpipe')) return 'lavapipe'
  return isFallbackAdapter ? 'software' : 'hardware'
}

/** The facts of an adapter. Numbers beyond 2^53 - 1 are cut there. */
export function describeAdapter(adapter: GPUAdapter): AdapterFacts {
  const info: GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> } = adapter.info
  const { vendor, architecture, device } = info
  const kind = kindOf(info)
  const has = (feature: keyof typeof featureNames) => adapter.features.has(featureNames[feature])
  const subgroups = has('subgroups')
  const limits = limitNames.map(name => [name, Math.min(adapter.limits[name], Number.MAX_SAFE_INTEGER)])
  return {
    kind,
    vendor,
    architecture,
    device,
    description: `${kind}: ${info.description || device || `${vendor} ${architecture}`.trim() || 'unnamed'}`,
    isFallback: kind !== 'hardware',
    features: { f16: has('f16'), subgroups, timestamps: has('timestamps'), subgroupMatrix: has('subgroupMatrix') },
    subgroupMinSize: (subgroups && info.subgroupMinSize) || 0,
    subgroupMaxSize: (subgroups && info.subgroupMaxSize) || 0,
    subgroupMatrixConfigs: [...(info.subgroupMatrixConfigs ?? [])].map(
      ({ M, N, K, componentType, resultComponentType }) => ({ M, N, K, componentType, resultComponentType }),
    ),
    limits: Object.fromEntries(limits) as AdapterLimits,
  }
}

const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined

/** A variable of the environment; undefined in browsers. */
export function environment(name: string): string | undefined {
  return inNode ? process.env[name] : undefined
}

/**
 * Reads the name of an adapter kind; an empty one or none is no wish.
 * @throws UsageError for any other name
 */
export function parseWish(text: string | undefined, where = 'REVISION_ADAPTER'): AdapterWish | undefined {
  if (text === undefined || text === '') return undefined
  const wish = wishes.find(known => known === text)
  if (wish !== undefined) return wish
  const got = JSON.stringify(text.slice(0, 40))
  throw new UsageError({
    where,
    what: 'unknown adapter',
    expected: wishes.join(', ').replace(/, (\w+)$/, ' or $1'),
    got,
  })
}

/** In a browser the page's own WebGPU is all there is. */
async function browserAdapter(wish: AdapterWish | undefined): Promise<Found | undefined> {
  const { gpu } = (globalThis as { navigator?: { gpu?: GPU } }).navigator ?? {}
  const software = wish === 'swiftshader' || wish === 'lavapipe'
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance', forceFallbackAdapter: software })
  return gpu && adapter ? { gpu, adapter } : undefined
}

async function nodeAdapter(wish: AdapterWish | undefined, robust: boolean): Promise<Found | undefined> {
  const { embeddedAdapter, mayHaveGpu, systemAdapter } = await import('./dawn.js')
  if (wish === 'hardware' && !mayHaveGpu()) return undefined
  if (wish === 'swiftshader') return embeddedAdapter(robust)
  const found = await systemAdapter(wish === 'lavapipe' ? 'llvmpipe' : undefined)
  if (found !== undefined || wish !== undefined) return found
  return embeddedAdapter(robust).catch((cause: Error) => {
    const got = `no driver of the system, and ${cause.message}`
    throw new AdapterError({ where: 'adapter', what: 'no WebGPU adapter', got }, { cause })
  })
}

const hints: Record<AdapterWish, string> = {
  hardware: 'a driver with Vulkan, Metal or Direct3D 12, or another adapter',
  lavapipe: "Mesa 24 or newer (Debian's mesa-vulkan-drivers), or another adapter",
  swiftshader: 'the main thread of Node on Linux x64, or another adapter',
}

let noticed = false

function noticeOnce(description: string, { quiet, notice = console.error }: AdapterOptions): void {
  if (noticed || quiet || environment('REVISION_QUIET')) return
  noticed = true
  notice(
    `revision: no GPU in use, shaders run on the CPU and are slow (${description}); REVISION_QUIET=1 hides this line`,
  )
}

/**
 * Opens an adapter: the wanted kind or none; without a wish a GPU, else a software driver of the system, else the
 * embedded SwiftShader. In Node this also defines WebGPU's global names (GPUBufferUsage, ...) where they are missing.
 * A software adapter is announced by one line, once a process.
 * @param wish `hardware`, `lavapipe` or `swiftshader`; by default what REVISION_ADAPTER says
 * @throws UsageError for an unknown wish; AdapterError if the wanted kind, or any at all, is not to be had
 */
export async function openAdapter(wish?: string, options: AdapterOptions = {}): Promise<OpenedAdapter> {
  const argument = parseWish(wish, 'adapter')
  const wanted = argument ?? parseWish(environment('REVISION_ADAPTER'))
  const found = await (inNode ? nodeAdapter(wanted, !options.unsafeNoRobustness) : browserAdapter(wanted))
  const facts = found && describeAdapter(found.adapter)
  if (found === undefined || facts === undefined || (wanted !== undefined && facts.kind !== wanted)) {
    throw new AdapterError({
      where: 'adapter',
      what: wanted === undefined ? 'no WebGPU adapter' : `no ${wanted} adapter`,
      got: facts?.description ?? 'none',
      hint: hints[wanted ?? 'hardware'],
    })
  }
  const { kind, description } = facts
  if (facts.isFallback) noticeOnce(description, options)
  const source = argument === undefined ? 'REVISION_ADAPTER' : 'the caller'
  const best = facts.isFallback ? 'there is no GPU' : 'a GPU comes first'
  return { ...found, kind, description, why: wanted === undefined ? best : `${source} asks for ${wanted}` }
}
