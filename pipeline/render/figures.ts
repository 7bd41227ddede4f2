// Scenes as stick figures on a floor of square metres: left limbs red, right ones blue.

import { vectorAt, type Vector } from '../../models/body/quaternion.js'
import { quadrupedJointNames, quadrupedParents } from '../../models/body/quadruped-skeleton.js'
import { jointNames, jointParents } from '../../models/body/skeleton.js'
import type { EntityMotion } from '../../models/pppm/encoding.js'
import type { Picture } from '../media/picture.js'
import { entityPoints } from '../scene/entity-points.js'
import { orbit, project, type Camera } from './camera.js'
import type { Colour } from './raster.js'

interface Line {
  readonly from: Vector
  readonly to: Vector
  readonly colour: Colour
}

const colours = { left: [214, 62, 52], right: [44, 98, 214], middle: [60, 60, 60], object: [30, 140, 80] } as const
const floor: Colour = [212, 212, 206]
const paper = 250

// Objects: round the box, then round the contour.
const outline = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 0],
  ...Array.from({ length: 16 }, (_, i) => [5 + i, 5 + ((i + 1) % 16)]),
  [4, 5],
]

function linesOf(entity: EntityMotion, frame: number, points = entityPoints(entity, frame)): Line[] {
  const line = (a: number, b: number, colour: Colour) => ({
    from: vectorAt(points, a),
    to: vectorAt(points, b),
    colour,
  })
  if (entity.kind === 'object') return outline.map(([a, b]) => line(a, b, colours.object))
  const [names, parents] =
    entity.kind === 'human' ? [jointNames, jointParents] : [quadrupedJointNames, quadrupedParents]
  return names.flatMap((name, joint) => {
    if (parents[joint] < 0) return []
    const side = /^(left_|L[A-Z])/.test(name) ? 'left' : /^(right_|R[A-Z])/.test(name) ? 'right' : 'middle'
    return [line(parents[joint], joint, colours[side])]
  })
}

/** Pictures of a scene, one for each of the given frames; the camera follows from half in front of its left. */
export function drawScene(entities: readonly EntityMotion[], frames: readonly number[], size: number): Picture[] {
  const distance = entities.some(({ kind }) => kind === 'human') ? 5 : 3
  const view = { yaw: yawOf(entities), pitch: 0.2, distance }
  return frames.map(frame => {
    const lines = entities.flatMap(entity => linesOf(entity, frame))
    const target = middleOf(lines)
    const camera = orbit(target, view, { width: size, height: size, focal: 1.9 * size })
    const picture = { width: size, height: size, data: new Uint8Array(size * size * 3).fill(paper) }
    for (const line of [...floorLines(target), ...lines]) drawLine(picture, camera, line)
    return picture
  })
}

/** Draws an entity's points of a frame (see `entityPoints`) into a picture, as a camera sees them. */
export function drawFigure(
  picture: Picture,
  camera: Camera,
  entity: EntityMotion,
  frame: number,
  points: Float32Array,
): void {
  for (const line of linesOf(entity, frame, points)) drawLine(picture, camera, line)
}

/** Where to look from: an object alone is flat, and seen from in front of it. */
function yawOf([first]: readonly EntityMotion[]): number {
  if (first.kind !== 'object') return 0.9
  const [from, to] = [vectorAt(first.numbers, 0), vectorAt(first.numbers, 1)]
  return Math.atan2(to[0] - from[0], to[2] - from[2]) - Math.PI / 2 + 0.2
}

/** What the camera looks at: the middle of everything; what is low is seen from a person's height. */
function middleOf(lines: readonly Line[]): Vector {
  const [x, y, z] = [0, 1, 2].map(axis => {
    const values = lines.flatMap(({ from, to }) => [from[axis], to[axis]])
    return (Math.max(...values) + Math.min(...values)) / 2
  })
  return [x, Math.max(0.5, y), z]
}

/** Metre by metre, so that those behind the camera can be left out. */
function floorLines([x, , z]: Vector): Line[] {
  const [left, near] = [Math.floor(x), Math.floor(z)]
  const places = Array.from({ length: 9 }, (_, i) => i - 4)
  return places.flatMap(i =>
    places
      .slice(1)
      .flatMap(j => [
        { from: [left + i, 0, near + j - 1], to: [left + i, 0, near + j], colour: floor } as const,
        { from: [left + j - 1, 0, near + i], to: [left + j, 0, near + i], colour: floor } as const,
      ]),
  )
}

function drawLine({ width, height, data }: Picture, camera: Camera, { from, to, colour }: Line): void {
  const [a, b] = [project(camera, from), project(camera, to)]
  if (a[2] < 0.1 || b[2] < 0.1) return
  // What is far outside the picture needs no more points than its sides have pixels.
  const steps = Math.min(4 * (width + height), Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1])) + 1)
  for (let i = 0; i <= steps; i++) {
    const [x, y] = [0, 1].map(axis => Math.round(a[axis] + ((b[axis] - a[axis]) * i) / steps))
    for (const [dx, dy] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ])
      if (x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height)
        data.set(colour, 3 * ((y + dy) * width + x + dx))
  }
}
