// The track of an object as points that move in the world.

import { objectPoints } from '../../../models/pppm/kinds.js'
import type { LabelMap } from '../../../models/svd/picture.js'
import type { Detection, Track } from '../detection.js'
import type { DepthMap, FittedBody, SceneView } from '../extractor.js'
import { contactDepth } from '../ground.js'
import { commonHeight } from '../heights.js'
import { depthsOfMask } from './mask-depth.js'
import { liftOutline, maskOfBox, outlineOfMask, type ObjectOutline } from './object-points.js'

// Of something whose size nothing tells, metres.
const usualSize = 0.3
// Depths are the medians of so many frames: single boxes are a pixel too large or too small.
const smoothed = 5

/**
 * An object over all frames, in the world: where it was not seen it goes evenly from where it was to where it is next.
 * Depth comes from the maps of the view, else from where the object touches the floor and how large it looks.
 * @returns undefined if no mask of it holds a pixel
 */
export function liftTrack(track: Track, view: SceneView): FittedBody | undefined {
  const { frames, camera } = view
  const outlines: (ObjectOutline | undefined)[] = []
  const masks = track.detections.map(detection => detection && maskOf(detection, view))
  let before: ObjectOutline | undefined
  for (const mask of masks) {
    const outline = mask && outlineOfMask(mask, before)
    outlines.push(outline)
    before = outline ?? before
  }
  const far = view.depth ? [] : depthsOfSize(track, view)
  const places = outlines.map((outline, frame) => {
    if (!outline) return undefined
    const depths = depthsOf(outline, masks[frame]!, view.depth?.[frame], far[frame]!)
    return liftOutline(outline, depths, camera)
  })
  const seen = places.flatMap((place, frame) => (place ? [frame] : []))
  if (seen.length === 0) return undefined
  const numbers = new Float32Array(frames * 3 * objectPoints)
  const confidence = new Float32Array(frames)
  for (let frame = 0; frame < frames; frame++) {
    numbers.set(places[frame] ?? between(places, seen, frame), frame * 3 * objectPoints)
    if (places[frame]) confidence[frame] = track.detections[frame]!.score
  }
  return { motion: { kind: 'object', numbers }, shape: new Float32Array(0), confidence }
}

function maskOf({ mask, box, name }: Detection, { width, height }: SceneView): LabelMap {
  return mask ?? maskOfBox(box, name, width, height)
}

function depthsOf(outline: ObjectOutline, mask: LabelMap, map: DepthMap | undefined, far: number): number[] {
  return map ? depthsOfMask(outline, mask, map) : outline.map(() => far)
}

/**
 * How far away an object is in each frame in which it was seen: it is as large as it looks where it touches the floor. In
 * the air it seems to stand farther away, and larger, than it is; so its least size counts.
 */
function depthsOfSize({ detections, name }: Track, { camera, height }: SceneView): (number | undefined)[] {
  const looks = detections.map(detection => detection && Math.sqrt(areaOf(detection)))
  const sizes = detections.flatMap((detection, frame) => {
    const depth = detection && contactDepth(camera, detection.box, height)
    return depth === undefined ? [] : [(looks[frame]! * depth) / camera.focal]
  })
  sizes.sort((a, b) => a - b)
  const size = sizes[Math.floor(0.1 * sizes.length)] ?? commonHeight(name)?.metres ?? usualSize
  const depths = looks.map(look => look && (size * camera.focal) / look)
  return depths.map((depth, frame) => {
    if (depth === undefined) return undefined
    const reach = (smoothed - 1) / 2
    const near = depths.slice(Math.max(0, frame - reach), frame + reach + 1).filter(value => value !== undefined)
    return near.sort((a, b) => a - b)[Math.floor(near.length / 2)]
  })
}

function areaOf({ box: { left, top, right, bottom } }: Detection): number {
  return (right - left) * (bottom - top)
}

/** Points in a frame without any, from those of the nearest frames that have some. */
function between(places: readonly (Float32Array | undefined)[], seen: readonly number[], frame: number): Float32Array {
  const next = seen.find(other => other > frame) ?? seen[seen.length - 1]
  const last = seen.findLast(other => other < frame) ?? seen[0]
  const [from, to] = [places[last]!, places[next]!]
  const share = next > last ? (frame - last) / (next - last) : 0
  return from.map((value, i) => value + Math.min(1, Math.max(0, share)) * (to[i] - value))
}
