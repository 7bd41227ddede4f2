// What a shader wants from the host, read from its own text: bindings by name, and the layout of `struct Params`. So
// the WGSL file is the only place that states them, and a launch that forgets or misspells one is told at once.

import { KernelError } from '../errors.js'

/** A storage binding `var<storage, read|read_write> name`. */
export interface BufferBinding {
  readonly name: string
  readonly index: number
  readonly writable: boolean
}

interface Field {
  readonly name: string
  readonly type: 'u32' | 'i32' | 'f32'
  readonly offset: number
  /** Scalars in it: 1, or 4 N for array<vec4<T>, N>. */
  readonly count: number
}

export interface ShaderInterface {
  readonly buffers: readonly BufferBinding[]
  readonly fields: readonly Field[]
  /** Bytes of the uniform block; 0 when the shader has none. */
  readonly uniformBytes: number
}

/** Bytes between the uniforms of two dispatches: minUniformBufferOffsetAlignment is 256 or less on every device. */
export const slotBytes = 256

const bindingPattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)\s*:/g
const paramsPattern = /struct Params\s*\{([^}]*)\}/
const fieldPattern = /(\w+)\s*:\s*(?:(u32|i32|f32)|array<vec4<(u32|i32|f32)>,\s*(\d+)>)\s*,/g

/**
 * Reads bindings and the uniform block of an expanded shader. The block is `struct Params` at binding 0, of scalars and
 * arrays of vec4, every field ending in a comma. Throws a KernelError for other fields, or more than fit a slot.
 */
export function readInterface(where: string, source: string): ShaderInterface {
  const buffers = [...source.matchAll(bindingPattern)].map(([, index, access, name]) => ({
    name,
    index: Number(index),
    writable: access === 'read_write',
  }))
  const body = paramsPattern.exec(source)?.[1].replace(/\/\/.*$/gm, '') ?? ''
  const fields: Field[] = []
  let offset = 0
  for (const [, name, scalar, vector, length] of body.matchAll(fieldPattern)) {
    const type = (scalar ?? vector) as Field['type']
    const count = vector ? 4 * Number(length) : 1
    if (vector) offset = Math.ceil(offset / 16) * 16
    fields.push({ name, type, offset, count })
    offset += 4 * count
  }
  if (body.replace(fieldPattern, '').trim() !== '')
    throw new KernelError({
      where,
      what: 'struct Params has a field of unknown type',
      expected: 'u32, i32, f32 or array<vec4<T>, N>, each followed by a comma',
      got: body.replace(fieldPattern, '').trim(),
    })
  const uniformBytes = Math.ceil(offset / 16) * 16
  if (uniformBytes > slotBytes)
    throw new KernelError({
      where,
      what: 'struct Params is too large',
      expected: `at most ${slotBytes} bytes`,
      got: String(uniformBytes),
    })
  return { buffers, fields, uniformBytes }
}

/** Values of a uniform block by field name: numbers, or lists for arrays (missing tail entries are 0). */
export type Uniforms = Readonly<Record<string, number | readonly number[]>>

const integerRange = { u32: [0, 2 ** 32 - 1], i32: [-(2 ** 31), 2 ** 31 - 1] } as const

/**
 * Writes `values` into `target` (the block's own bytes) after the layout. Throws a KernelError for missing or unknown
 * names, and for a number that an integer field cannot hold: written all the same, it would wrap around.
 */
export function packUniforms(where: string, shader: ShaderInterface, values: Uniforms, target: DataView): void {
  for (const { name, type, offset, count } of shader.fields) {
    const value = values[name]
    if (value === undefined) throw new KernelError({ where, what: 'uniform not given', expected: name })
    for (let i = 0; i < count; i++) {
      const number = typeof value === 'number' ? value : (value[i] ?? 0)
      if (type === 'f32') {
        target.setFloat32(offset + 4 * i, number, true)
        continue
      }
      const [least, most] = integerRange[type]
      if (!Number.isInteger(number) || number < least || number > most)
        throw new KernelError({
          where,
          what: `uniform ${name} does not fit its type`,
          expected: type,
          got: String(number),
        })
      if (type === 'i32') target.setInt32(offset + 4 * i, number, true)
      else target.setUint32(offset + 4 * i, number, true)
    }
  }
  const names = new Set(shader.fields.map(field => field.name))
  const unknown = Object.keys(values).filter(name => !names.has(name))
  if (unknown.length > 0) throw new KernelError({ where, what: 'unknown uniforms', got: unknown.join(', ') })
}
