// What a sketch says of the last frame: a mask for the video model, and places of parts for whoever poses the bodies.

import { UsageError } from '../../tensor/index.js'
import type { PartMask } from '../../models/svd/motion-condition.js'
import { labelCount, type LabelMap } from '../../models/svd/picture.js'
import { project } from '../render/camera.js'
import { labelName } from '../render/palette.js'
import { entityPoints } from '../scene/entity-points.js'
import { firstObjectLabel, labelled, type Scene, type SceneEntity } from '../scene/scene.js'
import { vectorAt } from '../../models/body/quaternion.js'
import { kindOfLabel, type Sketch, type SketchPart, type SketchShape } from './sketch.js'
import { draggedPart, fillMoved, fillShape, pixelOf } from './sketch-regions.js'

/** How far a target pose is trusted: see the motion condition. */
export const targetConfidence = 0.5

/** What is known of the picture that a sketch is drawn on. */
export interface SketchGround {
  /** The part mask of the first frame, of any size: drags need it. */
  readonly first?: LabelMap
  /** Labels of objects by their names. Without them names get labels from 41 on, in the order of the sketch. */
  readonly objects?: ReadonlyMap<string, number>
}

/** Labels of a scene's objects, by their names and ids; of several of one name that of the first. */
export function objectLabels({ entities }: Pick<Scene, 'entities'>): Map<string, number> {
  const labels = new Map<string, number>()
  for (const { id, name, label } of labelled(entities)) {
    if (label === undefined) continue
    labels.set(id, label)
    if (!labels.has(name)) labels.set(name, label)
  }
  return labels
}

/**
 * The mask of the last frame: each shape in its part's label, later ones over earlier ones, with a confidence of 0.5.
 * Nothing is said of the rest of the picture.
 *
 * @throws UsageError for an object that is not known, or a drag of what the first frame does not show
 */
export function targetMask(
  sketch: Sketch,
  { width, height }: Pick<LabelMap, 'width' | 'height'>,
  ground: SketchGround = {},
): PartMask {
  const labels = { width, height, data: new Uint8Array(width * height) }
  for (const { fill, label } of regionsOf(sketch, ground)) fill(labels, label)
  return { labels, region: labels, confidence: targetConfidence }
}

/** Where a part of an entity is to be in the last frame. */
export interface PoseTarget {
  /** The entity's id; absent if the scene has none of its kind. */
  readonly entity?: string
  readonly label: number
  /** What the label is called: `left hand`. */
  readonly part: string
  /** The middle of what was sketched of it, pixels of the scene's pictures. */
  readonly x: number
  readonly y: number
}

/**
 * The middle of every part that was sketched, each of the entity that the sketch names, or else of the one of its kind
 * that is nearest in the first frame.
 *
 * @param first the part mask of the first frame, for drags; by default the scene's own
 * @throws UsageError for an object or entity that the scene does not have, or a drag of what the first frame does not
 *   show
 */
export function targetPoseOf(sketch: Sketch, scene: Scene, first = scene.masks?.[0]): PoseTarget[] {
  const { width, height } = scene
  const found = new Map<string, Omit<PoseTarget, 'x' | 'y'> & { pixels: number; x: number; y: number }>()
  for (const { shape, fill, label } of regionsOf(sketch, { first, objects: objectLabels(scene) })) {
    const map = { width, height, data: new Uint8Array(width * height) }
    fill(map, 1)
    const sum = middleOf(map) ?? outsideOf(shape, map)
    const place = [sum.x / sum.pixels, sum.y / sum.pixels] as const
    const entity = entityOf(sketch, shape, label, scene, shape.type === 'drag' ? pixelOf(shape.from, scene) : place)
    const key = `${entity} ${label}`
    const before = found.get(key) ?? { pixels: 0, x: 0, y: 0 }
    found.set(key, {
      ...(entity !== undefined && { entity }),
      label,
      part: labelName(label),
      pixels: before.pixels + sum.pixels,
      x: before.x + sum.x,
      y: before.y + sum.y,
    })
  }
  return [...found.values()].map(({ pixels, x, y, ...target }) => ({ ...target, x: x / pixels, y: y / pixels }))
}

interface Region {
  readonly shape: SketchShape
  readonly label: number
  /** Gives its pixels a value. */
  fill(map: LabelMap, value: number): void
}

function regionsOf(sketch: Sketch, { first, objects }: SketchGround): Region[] {
  const named = new Map(objects)
  const free = freeObjectLabels(sketch)
  const labelOf = (part: SketchPart, at: string): number => {
    if ('label' in part) return part.label
    const known = named.get(part.object)
    if (known !== undefined) return known
    if (objects)
      throw new UsageError({
        where: `${sketch.where}: ${at}.object`,
        what: 'the scene has no such object',
        expected: [...objects.keys()].join(', ') || 'none',
        got: part.object,
      })
    const label = free.shift()
    if (label === undefined)
      throw new UsageError({ where: `${sketch.where}: ${at}.object`, what: 'more objects than there are labels' })
    named.set(part.object, label)
    return label
  }
  return sketch.shapes.map(shape => {
    if (shape.type !== 'drag')
      return { shape, label: labelOf(shape.part, shape.at), fill: (map, value) => fillShape(map, shape, value) }
    const wanted = shape.part && labelOf(shape.part, shape.at)
    const { label, region } = draggedPart(sketch, shape, wanted, first)
    return { shape, label, fill: (map, value) => fillMoved(map, region, shape, value) }
  })
}

/** The labels of objects that a sketch does not use itself. */
function freeObjectLabels({ shapes }: Sketch): number[] {
  const used = new Set(shapes.map(({ part }) => part && 'label' in part && part.label))
  const all = Array.from({ length: labelCount - firstObjectLabel }, (_, i) => firstObjectLabel + i)
  return all.filter(label => !used.has(label))
}

/** The pixels that are not 0, and the sums of where they are; nothing if there are none. */
function middleOf({ width, data }: LabelMap): { pixels: number; x: number; y: number } | undefined {
  let [pixels, x, y] = [0, 0, 0]
  data.forEach((value, pixel) => {
    if (value === 0) return
    pixels++
    x += pixel % width
    y += Math.floor(pixel / width)
  })
  return pixels > 0 ? { pixels, x, y } : undefined
}

/** Where a shape is that covers no pixel: it is too small, or outside of the picture. */
function outsideOf(shape: SketchShape, size: LabelMap): { pixels: number; x: number; y: number } {
  const points = shape.type === 'drag' ? [shape.to] : shape.type === 'ellipse' ? [shape.centre] : shape.points
  const places = points.map(point => pixelOf(point, size))
  const [x, y] = [0, 1].map(axis => places.reduce((sum, place) => sum + place[axis], 0) / places.length)
  return { pixels: 1, x, y }
}

function entityOf(
  { where }: Sketch,
  { at, entity }: SketchShape,
  label: number,
  scene: Scene,
  [x, y]: readonly [number, number],
): string | undefined {
  const kind = kindOfLabel(label)
  const able = labelled(scene.entities).filter(one => one.kind === kind && (kind !== 'object' || one.label === label))
  if (entity !== undefined) {
    if (able.some(({ id }) => id === entity)) return entity
    throw new UsageError({
      where: `${where}: ${at}.entity`,
      what: `no such ${kind} in the scene`,
      expected: able.map(({ id }) => id).join(', ') || 'none',
      got: entity,
    })
  }
  const distance = ({ motion }: SceneEntity) => {
    const points = entityPoints(motion, 0)
    const distances = Array.from({ length: points.length / 3 }, (_, i) => {
      const [px, py, depth] = project(scene.camera, vectorAt(points, i))
      return depth > 0 ? Math.hypot(px - x, py - y) : Infinity
    })
    return Math.min(...distances)
  }
  return able.toSorted((a, b) => distance(a) - distance(b))[0]?.id
}
