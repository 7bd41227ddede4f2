// Part masks for people to see: colours over the picture, and what they mean.

import { ShapeError } from '../../tensor/index.js'
import { labelCount, type LabelMap, type Picture } from '../media/picture.js'
import { labelColour, labelName } from './palette.js'
import { letterSize, writeText } from './letters.js'
import type { Colour } from './raster.js'

// How much of a part's colour there is, inside and along its edge.
const inside = 0.6
const edge = 1
const paper = 24
const ink: Colour = [232, 232, 228]

/** A picture with the parts of a label map of its size in their colours, edges fully so. Throws a ShapeError else. */
export function drawOverlay({ width, height, data }: Picture, labels: LabelMap): Picture {
  if (labels.width !== width || labels.height !== height)
    throw new ShapeError({
      where: 'drawOverlay',
      what: 'the labels are not of the size of the picture',
      expected: `${width} x ${height}`,
      got: `${labels.width} x ${labels.height}`,
    })
  const out = Uint8Array.from(data)
  labels.data.forEach((label, pixel) => {
    if (label === 0) return
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    const differs = (dx: number, dy: number) =>
      x + dx < width && y + dy < height && labels.data[pixel + dx + dy * width] !== label
    const share = differs(1, 0) || differs(0, 1) ? edge : inside
    labelColour(label).forEach((value, channel) => {
      const at = 3 * pixel + channel
      out[at] = Math.round(out[at] + share * (value - out[at]))
    })
  })
  return { width, height, data: out }
}

/** The labels that occur in some maps, from the lowest. */
export function labelsIn(maps: Iterable<LabelMap>): number[] {
  const found = new Set<number>()
  for (const { data } of maps) for (const label of data) found.add(label)
  return Array.from({ length: labelCount - 1 }, (_, i) => i + 1).filter(label => found.has(label))
}

/** A strip about `width` pixels wide that says which colour is which label. */
export function drawLegend(labels: readonly number[], width: number): Picture {
  const [size, gap] = [2, 8]
  const [line, swatch] = [letterSize.height * size + 6, 28]
  const texts = labels.map(label => `${label} ${labelName(label)}`)
  const longest = Math.max(0, ...texts.map(text => text.length))
  const column = swatch + 2 * gap + longest * letterSize.width * size
  const columns = Math.max(1, Math.floor((width - gap) / column))
  const rows = Math.ceil(labels.length / columns)
  const [wide, height] = [Math.max(width, column + gap), rows * line + 2 * gap]
  const picture = { width: wide, height, data: new Uint8Array(3 * wide * height).fill(paper) }
  labels.forEach((label, i) => {
    const [left, top] = [gap + Math.floor(i / rows) * column, gap + (i % rows) * line]
    for (let y = top; y < top + line - 4; y++)
      for (let x = left; x < left + swatch; x++) picture.data.set(labelColour(label), 3 * (y * wide + x))
    writeText(picture, texts[i], [left + swatch + gap, top + 1], ink, size)
  })
  return picture
}

/** Two pictures, one above the other, on a dark ground as wide as the wider one. */
export function stacked(above: Picture, below: Picture): Picture {
  const width = Math.max(above.width, below.width)
  const height = above.height + below.height
  const data = new Uint8Array(3 * width * height).fill(paper)
  for (const [{ width: own, height: rows, data: pixels }, top] of [[above, 0] as const, [below, above.height] as const])
    for (let y = 0; y < rows; y++) data.set(pixels.subarray(3 * y * own, 3 * (y + 1) * own), 3 * (top + y) * width)
  return { width, height, data }
}
