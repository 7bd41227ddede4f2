// Sketch files: JSON, every field of which is checked; see docs/control.md and docs/sketch.schema.json.

import { ConfigReader } from '../../models/config-reader.js'
import { labelCount, maxPixels } from '../../models/svd/picture.js'
import { NodeFileSource } from '../../tensor/files/index.js'
import { decodeUtf8 } from '../../tensor/files/json.js'
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

/** Reads a sketch; throws a FileError that tells everything that is wrong. */
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

/** Reads the text of a sketch; `where` names its file. Throws a FileError that tells everything that is wrong. */
export function readSketch(where: string, text: string): Sketch {
  const reader = new ConfigReader(where, text, { kind: 'sketch' })
  reader.oneOf('version', [1])
  // Of a file of another version nothing else is known.
  reader.finish()
  const units = reader.word('units', ['pixels', 'relative'])
  const size = units === 'pixels' ? readSize(reader) : undefined
  const shapes = reader.objects('shapes', sketchLimits.shapes, 1)
  const read = shapes.map((shape, i) => readShape(shape, `shapes[${i}]`, new Ruler(shape, size)))
  reader.close()
  reader.finish()
  return { where, shapes: read }
}

interface Size {
  readonly width: number
  readonly height: number
}

function readSize(reader: ConfigReader): Size {
  const [width, height] = reader.numbers('size', 2, { min: 1, max: sketchLimits.side })
  const fits = Number.isInteger(width) && Number.isInteger(height) && width * height <= maxPixels
  reader.check(fits, 'size', `whole numbers, at most ${maxPixels} pixels`, [width, height])
  return { width, height }
}

const types = ['circle', 'ellipse', 'polygon', 'stroke', 'drag'] as const

function readShape(reader: ConfigReader, at: string, ruler: Ruler): SketchShape {
  const type = reader.word('type', types)
  // Of a type that is not known no other field is.
  if (reader.value('type') !== type) return { at, part: { label: 1 }, type: 'polygon', points: [] }
  const entity = reader.optionalText('entity', sketchLimits.name)
  const common = { at, ...(entity !== undefined && { entity }) }
  const shape: SketchShape =
    type === 'drag'
      ? { ...common, ...partOf(reader), type, from: ruler.place('from'), to: ruler.place('to') }
      : { ...common, part: readPart(reader), ...readMeasures(type, reader, ruler) }
  reader.close()
  return shape
}

/** The part of a drag, which may name none. */
function partOf(reader: ConfigReader): { part?: SketchPart } {
  return reader.has('part') || reader.has('object') ? { part: readPart(reader) } : {}
}

/** The part or the object that a shape stands for. */
function readPart(reader: ConfigReader): SketchPart {
  const [name, object] = [reader.value('part'), reader.value('object')]
  if (object === undefined) {
    const label = typeof name === 'string' ? labelOfPart(name) : undefined
    reader.check(label !== undefined, 'part', 'the name of one, such as left hand, or object in its place', name)
    return { label: label ?? 1 }
  }
  reader.check(name === undefined, 'part', 'absent beside object', name)
  if (typeof object === 'string') return { object: reader.text('object', sketchLimits.name) }
  return { label: reader.integer('object', { min: firstObjectLabel, max: labelCount - 1 }) }
}

function readMeasures(type: Exclude<(typeof types)[number], 'drag'>, reader: ConfigReader, ruler: Ruler) {
  switch (type) {
    case 'circle': {
      const radius = ruler.length('radius')
      return { type: 'ellipse', centre: ruler.place('centre'), radii: [radius, radius], turn: 0 } as const
    }
    case 'ellipse': {
      const degrees = reader.has('turn') ? reader.number('turn', { min: -360, max: 360 }) : 0
      const [centre, radii] = [ruler.place('centre'), ruler.lengths('radii')]
      return { type, centre, radii, turn: (degrees * Math.PI) / 180 } as const
    }
    case 'polygon':
      return { type, points: ruler.places('points', 3) } as const
    case 'stroke':
      return { type, points: ruler.places('points', 1), width: ruler.length('width') } as const
  }
}

/** Measures of a shape in what its sketch counts in: pixels of a picture of some size, or shares of any picture. */
class Ruler {
  constructor(
    private readonly reader: ConfigReader,
    private readonly size: Size | undefined,
  ) {}

  /** A place in the picture. */
  place(name: string, value = this.reader.value(name)): Place {
    const { least, most } = sketchLimits
    const [width, height] = [this.size?.width ?? 1, this.size?.height ?? 1]
    const fits = (at: unknown, side: number): at is number =>
      typeof at === 'number' && at >= least * side && at <= most * side
    const [x, y, ...more] = Array.isArray(value) ? (value as unknown[]) : []
    // Pixels count from the centre of the first one.
    if (fits(x, width) && fits(y, height) && more.length === 0)
      return this.size ? [(x + 0.5) / width, (y + 0.5) / height] : [x, y]
    const range = (side: number) => `${least * side}..${most * side}`
    this.reader.problem(name, `[x, y] in ${range(width)} and ${range(height)}${this.size ? ' pixels' : ''}`, value)
    return [0, 0]
  }

  /** A list of `least` places or more. */
  places(name: string, least: number): Place[] {
    const list = { min: least, max: sketchLimits.points, of: 'places' }
    return this.reader.items(name, list, (place, item) => this.place(place, item))
  }

  /** A length, in heights of the picture. */
  length(name: string, value = this.reader.value(name)): number {
    const height = this.size?.height ?? 1
    const most = sketchLimits.length * height
    if (typeof value === 'number' && value > 0 && value <= most) return value / height
    this.reader.problem(name, `above 0 and at most ${most}${this.size ? ' pixels' : ' heights'}`, value)
    return 1
  }

  /** Two lengths. */
  lengths(name: string): [number, number] {
    const list = { min: 2, max: 2, of: 'numbers' }
    const [across = 1, down = 1] = this.reader.items(name, list, (place, item) => this.length(place, item))
    return [across, down]
  }
}
