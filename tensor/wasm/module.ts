// The WebAssembly module: one binary with all kernels, embedded as text, and what is known of each kernel's parameters.

import { AdapterError } from '../errors.js'
import { webAssembly, type Module } from './api.js'

/** A field of a kernel's parameter class; `usize` is an address. */
export interface ParamField {
  readonly name: string
  readonly type: 'usize' | 'u32' | 'i32' | 'f32'
}

/**
 * A kernel as the module exports it: does units from one up to another. Parameters and private memory are addresses.
 */
export type Kernel = (params: number, from: number, to: number, scratch: number) => void

/** What the build step makes of the kernels' AssemblyScript. */
export interface WasmModuleSource {
  /** The module in base64, importing shared memory: with fused multiply-adds (relaxed SIMD), and without. */
  readonly relaxed: string
  readonly plain: string
  /** The fields of each kernel's parameters, in order; each takes a word. */
  readonly kernels: Readonly<Record<string, readonly ParamField[]>>
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** Reads an unsigned LEB128 number at `at`; gives it and the place behind. */
function readNumber(bytes: Uint8Array, at: number): [number, number] {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return [value, at]
  }
}

/**
 * The same module for memory that is not shared, for pages without SharedArrayBuffer: kernels themselves contain no
 * atomic instruction, so the flag of the imported memory is all that differs. (WebAssembly core specification, binary
 * format: section 2 is the imports; limits begin with a flag, 3 for shared with a maximum, 1 for a maximum alone.)
 */
function unshared(module: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const [importSection, memoryImport, sharedWithMaximum, withMaximum] = [2, 2, 3, 1]
  for (let at = 8; at < module.length;) {
    const section = module[at]
    const [size, contents] = readNumber(module, at + 1)
    if (section === importSection) {
      let [, cursor] = readNumber(module, contents) // the number of imports: memory is the only one
      for (let names = 0; names < 2; names++) {
        const [length, behind] = readNumber(module, cursor)
        cursor = behind + length
      }
      if (module[cursor] === memoryImport && module[cursor + 1] === sharedWithMaximum) {
        const copy = module.slice()
        copy[cursor + 1] = withMaximum
        return copy
      }
    }
    at = contents + size
  }
  throw new AdapterError({ where: 'wasm', what: 'module imports no shared memory' })
}

/** A compiled module, and whether it multiplies and adds in one rounding. */
export interface CompiledModule {
  readonly module: Module
  readonly relaxed: boolean
}

/**
 * Compiles the variant that suits this host best.
 * @param shared for memory shared between threads, or not
 * @param relaxed whether relaxed SIMD may be used where the host has it
 * @throws AdapterError where there is no WebAssembly with SIMD
 */
export async function compileModule(
  source: WasmModuleSource,
  shared: boolean,
  relaxed: boolean,
): Promise<CompiledModule> {
  for (const variant of relaxed ? (['relaxed', 'plain'] as const) : (['plain'] as const)) {
    const binary = decode(source[variant])
    if (!webAssembly.validate(binary)) continue
    return { module: await webAssembly.compile(shared ? binary : unshared(binary)), relaxed: variant === 'relaxed' }
  }
  throw new AdapterError({
    where: 'wasm',
    what: 'this host has no WebAssembly with SIMD and threads',
    hint: 'Node 20 or a browser of 2022 or later',
  })
}
