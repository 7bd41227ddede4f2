// Sketch files: JSON, checked field by field; see docs/control.md and docs/sketch.schema.json.

import { isObject } from '../../models/config-reader.js'
import { labelCount, maxPixels } from '../../models/svd/picture.js'
import { NodeFileSource } from '../../tensor/files/index.js'
import { decodeUtf8 } from '../../tensor/files/json.js'
import { quote, quoteValue } from '../../tensor/files/quote.js'
import { FileError } from '../../tensor/index.js'
import { firstObjectLabel } from '../scene/scene.js'
import { labelOfPart, type Place, type Sketch, type SketchPart, type SketchShape } from './sketch.js'

/** What a sketch may hold at most. */
export const sketchLimits = {
  bytes: 2 ** 20,
  shapes: 256,
  /** Of a polygon or a stroke. */
  points: 1024,
  /** Characters of a name. */
  name: 64,
  side: 65535,
  /** Places in widths and heights of the picture: parts may reach beyond it. */
  least: -1,
  most: 2,
  /** Lengths in heights of the picture. */
  length: 2,
} as const

/** Reads a sketch; throws a FileError that names the field that is wrong. */
export async function readSketchFile(path: string): Promise<Sketch> {
  const file = await NodeFileSource.open(path)
  try {
    if (file.size > sketchLimits.bytes)
      throw new FileError({
        where: path,
        what: 'too long for a sketch',
        expected: `at most ${sketchLimits.bytes} bytes`,
        got: String(file.size),
      })
    return readSketch(path, decodeUtf8(path, await file.read(0, file.size)))
  } finally {
    await file.close()
  }
}

/** Reads the text of a sketch; `where` names its file. Throws a FileError that names the field that is wrong. */
export function readSketch(where: string, text: string): Sketch {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new FileError({ where, what: 'bad JSON', got: quote(String(cause)) }, { cause })
  }
  if (!isObject(value)) throw new FileError({ where, what: 'not a sketch', expected: 'a JSON object' })
  const fields = new Fields(where, '', value)
  fields.oneOf('version', [1])
  const units = fields.oneOf('units', ['pixels', 'relative'])
  const scale = units === 'pixels' ? fields.size('size') : undefined
  fields.only(['version', 'units', ...(scale ? ['size'] : []), 'shapes'])
  const shapes = fields.list('shapes', 1, sketchLimits.shapes)
  return {
    where,
    shapes: shapes.map((shape, i) => {
      const at = `shapes[${i}]`
      if (!isObject(shape)) throw flaw(where, at, 'not a shape', 'an object', shape)
      return readShape(new Fields(where, at, shape, scale))
    }),
  }
}

const types = ['circle', 'ellipse', 'polygon', 'stroke', 'drag'] as const

function readShape(fields: Fields): SketchShape {
  const type = fields.oneOf('type', types)
  const at = fields.path
  const entity = fields.has('entity') ? fields.name('entity') : undefined
  const common = { at, ...(entity !== undefined && { entity }) }
  const also = ['type', 'part', 'object', 'entity']
  if (type === 'drag') {
    fields.only([...also, 'from', 'to'])
    const isNamed = fields.has('part') || fields.has('object')
    const part = isNamed ? { part: readPart(fields) } : {}
    return { ...common, type, from: fields.place('from'), to: fields.place('to'), ...part }
  }
  const named = { ...common, part: readPart(fields) }
  switch (type) {
    case 'circle': {
      fields.only([...also, 'centre', 'radius'])
      const radius = fields.length('radius')
      return { ...named, type: 'ellipse', centre: fields.place('centre'), radii: [radius, radius], turn: 0 }
    }
    case 'ellipse': {
      fields.only([...also, 'centre', 'radii', 'turn'])
      const [across, down] = fields.list('radii', 2, 2).map((_, i) => fields.lengthIn('radii', i))
      const turn = fields.has('turn') ? fields.number('turn', -360, 360, 'degrees') : 0
      return { ...named, type, centre: fields.place('centre'), radii: [across, down], turn: (turn * Math.PI) / 180 }
    }
    case 'polygon':
      fields.only([...also, 'points'])
      return { ...named, type, points: fields.places('points', 3) }
    case 'stroke':
      fields.only([...also, 'points', 'width'])
      return { ...named, type, points: fields.places('points', 1), width: fields.length('width') }
  }
}

function readPart(fields: Fields): SketchPart {
  if (fields.has('part') === fields.has('object'))
    throw flaw(fields.where, fields.path, 'not one thing', 'either a part or an object')
  if (fields.has('part')) {
    const name = fields.name('part')
    const label = labelOfPart(name)
    if (label !== undefined) return { label }
    throw flaw(fields.where, `${fields.path}.part`, 'no such part', 'one such as left hand or animal tail', name)
  }
  const object = fields.value('object')
  if (typeof object === 'string') return { object: fields.name('object') }
  return { label: fields.number('object', firstObjectLabel, labelCount - 1, 'whole number or a name', true) }
}

function flaw(where: string, path: string, what: string, expected?: string, got?: unknown): FileError {
  const place = path === '' ? where : `${where}: ${path}`
  return new FileError({ where: place, what, expected, ...(got !== undefined && { got: quoteValue(got) }) })
}

/** The fields of an object within a sketch, and what its numbers count in. */
class Fields {
  constructor(
    readonly where: string,
    readonly path: string,
    private readonly object: Record<string, unknown>,
    /** The picture that pixels count in; without one numbers are relative. */
    private readonly scale?: { readonly width: number; readonly height: number },
  ) {}

  has(name: string): boolean {
    return Object.hasOwn(this.object, name)
  }

  value(name: string): unknown {
    if (!this.has(name)) throw flaw(this.where, this.at(name), 'is missing')
    return this.object[name]
  }

  /** Refuses fields of other names. */
  only(names: readonly string[]): void {
    const odd = Object.keys(this.object).find(name => !names.includes(name))
    if (odd !== undefined) throw flaw(this.where, this.at(quoteName(odd)), 'no such field', names.join(', '))
  }

  oneOf<T extends string | number>(name: string, values: readonly T[]): T {
    const value = this.value(name)
    const found = values.find(known => known === value)
    if (found === undefined) throw flaw(this.where, this.at(name), 'cannot be used', values.join(', '), value)
    return found
  }

  number(name: string, least: number, most: number, unit: string, whole = false): number {
    return this.#number(this.at(name), this.value(name), least, most, unit, whole)
  }

  name(name: string): string {
    const value = this.value(name)
    if (typeof value === 'string' && value.length >= 1 && value.length <= sketchLimits.name) return value
    throw flaw(this.where, this.at(name), 'not a name', `a text of 1..${sketchLimits.name} characters`, value)
  }

  list(name: string, least: number, most: number): unknown[] {
    const value = this.value(name)
    if (Array.isArray(value) && value.length >= least && value.length <= most) return value
    const got = Array.isArray(value) ? `a list of ${value.length}` : value
    throw flaw(
      this.where,
      this.at(name),
      'not such a list',
      `a list of ${least === most ? least : `${least}..${most}`}`,
      got,
    )
  }

  size(name: string): { width: number; height: number } {
    const [width, height] = this.list(name, 2, 2).map((side, i) =>
      this.#number(`${this.at(name)}[${i}]`, side, 1, sketchLimits.side, 'pixels', true),
    )
    if (width * height > maxPixels)
      throw flaw(this.where, this.at(name), 'too large', `at most ${maxPixels} pixels`, [width, height])
    return { width, height }
  }

  place(name: string): Place {
    return this.#place(this.at(name), this.value(name))
  }

  places(name: string, least: number): Place[] {
    return this.list(name, least, sketchLimits.points).map((value, i) => this.#place(`${this.at(name)}[${i}]`, value))
  }

  length(name: string): number {
    return this.#length(this.at(name), this.value(name))
  }

  /** The length at a place of a list. */
  lengthIn(name: string, i: number): number {
    return this.#length(`${this.at(name)}[${i}]`, (this.value(name) as unknown[])[i])
  }

  private at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  #number(path: string, value: unknown, least: number, most: number, unit: string, whole = false): number {
    const fits = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value))
    if (!fits) throw flaw(this.where, path, 'cannot be used', `${least}..${most}, ${unit}`, value)
    return value
  }

  #place(path: string, value: unknown): Place {
    if (!Array.isArray(value) || value.length !== 2) throw flaw(this.where, path, 'not a place', '[x, y]', value)
    const { least, most } = sketchLimits
    const [x, y] = (['width', 'height'] as const).map((side, i) => {
      const size = this.scale?.[side] ?? 1
      const unit = this.scale ? 'pixels' : `of the ${side}`
      const number = this.#number(`${path}[${i}]`, value[i], least * size, most * size, unit)
      // Pixels count from the centre of the first one.
      return this.scale ? (number + 0.5) / size : number
    })
    return [x, y]
  }

  #length(path: string, value: unknown): number {
    const size = this.scale?.height ?? 1
    const most = sketchLimits.length * size
    const unit = this.scale ? 'pixels' : 'of the height'
    if (!(typeof value === 'number' && value > 0 && value <= most))
      throw flaw(this.where, path, 'not a length', `more than 0 and at most ${most}, ${unit}`, value)
    return value / size
  }
}

const quoteName = (name: string) => (/^\w{1,32}$/.test(name) ? name : quote(name))
