// A made-up stage for tests of extraction: a camera over a floor, balls and people on it, and what an ideal detector and
// an ideal depth network tell of them.

import type { Vector } from '../../models/body/quaternion.js'
import type { LabelMap, Picture } from '../../models/svd/picture.js'
import type { Detection } from '../../pipeline/extract/detection.js'
import type { DepthMap } from '../../pipeline/extract/extractor.js'
import { standingCamera } from '../../pipeline/extract/ground.js'
import { boxOfMask } from '../../pipeline/extract/objects/object-points.js'
import { project, unproject, type Camera } from '../../pipeline/render/camera.js'
import { maskWhere } from './silhouettes.js'

export const stage = { width: 160, height: 96 } as const
const { width, height } = stage

/** As the usual lens is, 1.5 m above the floor, looking down a little. */
export const stageCamera: Camera = standingCamera(1.5, 0.15, { focal: 1.15 * width, centre: [79.5, 47.5] })

/** A grey picture. */
export function blank(): Picture {
  return { width, height, data: new Uint8Array(3 * width * height).fill(128) }
}

/** Somebody upright on the floor: a mask as wide as a third of its height. */
export function standing(x: number, z: number, tall: number, name = 'person'): Detection {
  const [foot, head] = [project(stageCamera, [x, 0, z]), project(stageCamera, [x, tall, z])]
  const half = (foot[1] - head[1]) / 6
  const mask = maskWhere(width, height, (px, py) => Math.abs(px - foot[0]) <= half && py <= foot[1] && py >= head[1])
  return { kind: 'human', name, box: boxOfMask(mask)!, score: 0.9, mask, keypoints: [] }
}

/** A ball: the pixels whose lines of sight meet it. */
export function ball(place: Vector, radius: number): Detection {
  const [cx, cy, depth] = project(stageCamera, place)
  const r = (radius * stageCamera.focal) / depth
  const mask = maskWhere(width, height, (px, py) => Math.hypot(px - cx, py - cy) <= r)
  return { kind: 'object', name: 'sports ball', box: boxOfMask(mask)!, score: 0.8, mask, keypoints: [] }
}

/** Inverse depth of the floor, a wall 20 m away and flat things, scaled and shifted as networks do. */
export function depthOf(things: readonly { mask: LabelMap; depth: number }[], scale: number, shift: number): DepthMap {
  const { position } = stageCamera
  const data = new Float32Array(width * height)
  for (let pixel = 0; pixel < data.length; pixel++) {
    const ray = unproject(stageCamera, [pixel % width, Math.floor(pixel / width), 1])
    const floor = ray[1] < position[1] ? position[1] / (position[1] - ray[1]) : Infinity
    const depth = things.reduce((least, { mask, depth }) => (mask.data[pixel] ? Math.min(least, depth) : least), 20)
    data[pixel] = scale / Math.min(depth, floor) + shift
  }
  return { width, height, data }
}
