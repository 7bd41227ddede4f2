// A body as a picture, seen whole.

import type { BodyData } from '../../models/body/body-data.js'
import type { Vector } from '../../models/body/quaternion.js'
import type { Picture } from '../media/picture.js'
import { orbit } from './camera.js'
import { labelColour } from './palette.js'
import { drawMesh, type Colour } from './raster.js'

/** How a body is drawn. */
export interface DrawBodyOptions {
  /** Height and width, pixels. */
  readonly size: number
  /** Radians around the body: 0 is from its front. */
  readonly yaw: number
  /** Whether parts have colours of their own. */
  readonly labels?: boolean
}

const skin: Colour = [200, 174, 154]
const pitch = 0.12
// Focal length for a picture 1 wide: a view of about 40 degrees.
const lens = 1.4
// Pixels are drawn so many times finer and averaged.
const finer = 2

/** Draws vertices [V x 3] of a body so that all of them are seen. */
export function drawBody(
  { faces, labels }: Pick<BodyData, 'faces' | 'labels'>,
  vertices: Float32Array,
  { size, yaw, labels: coloured }: DrawBodyOptions,
): Picture {
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  vertices.forEach((value, i) => {
    low[i % 3] = Math.min(low[i % 3], value)
    high[i % 3] = Math.max(high[i % 3], value)
  })
  const middle: Vector = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2]
  const radius = Math.hypot(high[0] - low[0], high[1] - low[1], high[2] - low[2]) / 2
  const side = finer * size
  const view = { yaw, pitch, distance: 2.7 * radius }
  const camera = orbit(middle, view, { width: side, height: side, focal: lens * side })
  const colours = Array.from(labels, label => (coloured ? labelColour(label) : skin))
  return averaged(drawMesh({ vertices, faces }, camera, side, side, vertex => colours[vertex]))
}

function averaged({ width, height, data }: Picture): Picture {
  const [w, h] = [width / finer, height / finer]
  const out = new Uint8Array(3 * w * h)
  for (let i = 0; i < out.length; i++) {
    const [pixel, channel] = [Math.floor(i / 3), i % 3]
    const start = Math.floor(pixel / w) * finer * width + (pixel % w) * finer
    let sum = 0
    for (let dy = 0; dy < finer; dy++)
      for (let dx = 0; dx < finer; dx++) sum += data[3 * (start + dy * width + dx) + channel]
    out[i] = Math.round(sum / finer ** 2)
  }
  return { width: w, height: h, data: out }
}
