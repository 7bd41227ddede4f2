// Where the shapes of a sketch are in a picture.

import { UsageError } from '../../tensor/index.js'
import type { LabelMap } from '../../models/svd/picture.js'
import { fillPolygon, type Point } from '../render/polygon.js'
import { labelName } from '../render/palette.js'
import type { Drag, FilledShape, Place, Sketch } from './sketch.js'

type Size = Pick<LabelMap, 'width' | 'height'>

// Corners of an ellipse or of the end of a stroke.
const roundCorners = 48

/** A place in a picture, pixels. */
export function pixelOf([x, y]: Place, { width, height }: Size): Point {
  return [x * width - 0.5, y * height - 0.5]
}

function ellipse([x, y]: Point, [across, down]: readonly [number, number], turn: number): Point[] {
  const [sine, cosine] = [Math.sin(turn), Math.cos(turn)]
  return Array.from({ length: roundCorners }, (_, i) => {
    const angle = (2 * Math.PI * i) / roundCorners
    const [a, b] = [across * Math.cos(angle), down * Math.sin(angle)]
    return [x + a * cosine - b * sine, y + a * sine + b * cosine]
  })
}

/** Gives the pixels of a shape the label. */
export function fillShape(map: LabelMap, shape: FilledShape, label: number): void {
  const { height } = map
  switch (shape.type) {
    case 'ellipse': {
      const [across, down] = shape.radii.map(radius => radius * height)
      return fillPolygon(map, ellipse(pixelOf(shape.centre, map), [across, down], shape.turn), label)
    }
    case 'polygon':
      return fillPolygon(
        map,
        shape.points.map(point => pixelOf(point, map)),
        label,
      )
    case 'stroke': {
      const radius = (shape.width * height) / 2
      const points = shape.points.map(point => pixelOf(point, map))
      points.forEach(([x, y], i) => {
        fillPolygon(map, ellipse([x, y], [radius, radius], 0), label)
        const [nextX, nextY] = points[Math.min(i + 1, points.length - 1)]
        const length = Math.hypot(nextX - x, nextY - y)
        if (length === 0) return
        const [a, b] = [((y - nextY) / length) * radius, ((nextX - x) / length) * radius]
        const side = [
          [x + a, y + b],
          [nextX + a, nextY + b],
          [nextX - a, nextY - b],
          [x - a, y - b],
        ] as const
        fillPolygon(map, side, label)
      })
    }
  }
}

/** The part that a drag moves. */
export interface DraggedPart {
  readonly label: number
  /** Its pixels in the first frame are 1. */
  readonly region: LabelMap
}

/**
 * The connected pixels of the first frame that a drag takes hold of: those with the label it names nearest to where it
 * begins, or whatever is there.
 *
 * @throws UsageError when the first frame is not known or does not show it
 */
export function draggedPart(
  { where }: Pick<Sketch, 'where'>,
  { at, from }: Drag,
  label: number | undefined,
  first: LabelMap | undefined,
): DraggedPart {
  const place = `${where}: ${at}`
  if (!first) throw new UsageError({ where: place, what: 'a drag needs to know where parts are in the first frame' })
  const { width, height, data } = first
  const [x, y] = pixelOf(from, first).map(Math.round)
  const inside = x >= 0 && x < width && y >= 0 && y < height
  let seed = inside ? y * width + x : -1
  if (label !== undefined && data[seed] !== label) seed = nearestOf(first, label, x, y)
  if (seed < 0 || data[seed] === 0)
    throw new UsageError({
      where: place,
      what: label === undefined ? 'there is no part where the drag begins' : 'the first frame does not show the part',
      got: label === undefined ? `pixel ${x}, ${y} of the first frame` : labelName(label),
    })
  return { label: data[seed], region: { width, height, data: connected(first, seed) } }
}

/** The pixel of a label that is nearest to a place; -1 if there is none. */
function nearestOf({ width, data }: LabelMap, label: number, x: number, y: number): number {
  let [found, least] = [-1, Infinity]
  data.forEach((value, pixel) => {
    if (value !== label) return
    const distance = ((pixel % width) - x) ** 2 + (Math.floor(pixel / width) - y) ** 2
    if (distance < least) [found, least] = [pixel, distance]
  })
  return found
}

/** 1 for the pixels of the seed's label that hang together with it. */
function connected({ width, data }: LabelMap, seed: number): Uint8Array {
  const region = new Uint8Array(data.length)
  const open = [seed]
  region[seed] = 1
  for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
    const column = pixel % width
    const next = [pixel - width, pixel + width]
    if (column > 0) next.push(pixel - 1)
    if (column < width - 1) next.push(pixel + 1)
    for (const to of next)
      if (data[to] === data[seed] && region[to] === 0) {
        region[to] = 1
        open.push(to)
      }
  }
  return region
}

/** Gives the label to the pixels where a region, moved along a drag, comes to lie. */
export function fillMoved(map: LabelMap, region: LabelMap, { from, to }: Drag, label: number): void {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
  for (let y = 0; y < map.height; y++) {
    const row = Math.floor(((y + 0.5) / map.height - dy) * region.height)
    if (row < 0 || row >= region.height) continue
    for (let x = 0; x < map.width; x++) {
      const column = Math.floor(((x + 0.5) / map.width - dx) * region.width)
      if (column >= 0 && column < region.width && region.data[row * region.width + column])
        map.data[y * map.width + x] = label
    }
  }
}
