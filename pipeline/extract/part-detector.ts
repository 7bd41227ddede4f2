// Detections out of a part map and joints, as the small network of the pocket model sees them: one person with a
// point for each joint, one animal by the middles of its parts, and objects.

import { animalParts, firstAnimalLabel } from '../../models/body/labels.js'
import { vectorAt, type Vector } from '../../models/body/quaternion.js'
import { bodyJointNames, bodyJoints, jointParents, restJoints } from '../../models/body/skeleton.js'
import type { LabelMap, Picture } from '../../models/svd/picture.js'
import { firstObjectLabel } from '../scene/scene.js'
import type { Box, Detection, Detector, Keypoint } from './detection.js'
import { usualLens } from './fit/fit.js'
import { partNode } from './fit/figure.js'
import { boxOfMask } from './objects/object-points.js'

// What covers fewer of a picture's pixels is nothing, but pixels that were taken for something.
const leastShare = 0.002
const leastPixels = 6

/** A picture's parts and joints. */
export interface PartView {
  /** Part labels (models/body/labels.ts), at the picture's size. */
  readonly labels: LabelMap
  /** [22]: where each joint of SMPL-X's body is, pixels, metres behind the pelvis, and how sure that is, 0..1. */
  readonly joints: readonly { readonly x: number; readonly y: number; readonly depth: number; readonly score: number }[]
}

/** What sees parts and joints in a picture. */
export type PartSight = (picture: Picture) => Promise<PartView>

/** A detector by parts. */
export class PartDetector implements Detector {
  constructor(private readonly see: PartSight) {}

  async detect(picture: Picture): Promise<Detection[]> {
    const { labels, joints } = await this.see(picture)
    const person = maskOf(labels, label => label > 0 && label < firstAnimalLabel)
    const animal = maskOf(labels, label => label >= firstAnimalLabel && label < firstObjectLabel)
    const found: Detection[] = []
    if (person)
      found.push({ kind: 'human', name: 'person', score: 1, ...person, keypoints: keypointsOf(joints, picture) })
    if (animal) found.push({ kind: 'animal', name: 'animal', score: 1, ...animal, keypoints: middlesOf(labels) })
    const objects = new Set(labels.data.filter(label => label >= firstObjectLabel))
    for (const label of [...objects].sort((a, b) => a - b)) {
      const object = maskOf(labels, own => own === label)
      if (object) found.push({ kind: 'object', name: `object ${label}`, score: 1, ...object, keypoints: [] })
    }
    return found
  }
}

/** The pixels with some labels, and the box around them; undefined for too few. */
function maskOf(
  { width, height, data }: LabelMap,
  isOwn: (label: number) => boolean,
): { mask: LabelMap; box: Box } | undefined {
  const mask = { width, height, data: data.map(label => (isOwn(label) ? label : 0)) }
  const count = mask.data.reduce((sum, label) => sum + Number(label > 0), 0)
  const box = boxOfMask(mask)
  return box && count >= Math.max(leastPixels, leastShare * width * height) ? { mask, box } : undefined
}

/** The joints of a person with their places in space: how far away the body is follows from the lengths of its bones. */
function keypointsOf(joints: PartView['joints'], { width, height }: Picture): Keypoint[] {
  const { focal, centre } = usualLens(width, height)
  const seen = joints.slice(0, bodyJoints)
  const placeAt = (distance: number, joint: number): Vector => {
    const { x, y, depth } = seen[joint]
    const z = distance + depth
    return [((x - centre[0]) / focal) * z, ((y - centre[1]) / focal) * z, depth]
  }
  const bones = seen.flatMap((_, joint) => (jointParents[joint] < 0 ? [] : [[jointParents[joint], joint] as const]))
  const sum = (place: (joint: number) => Vector) =>
    bones.reduce((total, [from, to]) => {
      const [a, b] = [place(from), place(to)]
      const weight = Math.min(seen[from].score, seen[to].score)
      return total + weight * ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)
    }, 0)
  const wanted = sum(joint => vectorAt(restJoints, joint))
  // The farther away, the longer all bones are that are seen so large.
  let [near, far] = [0.3, 50]
  for (let step = 0; step < 40; step++) {
    const distance = Math.sqrt(near * far)
    if (sum(joint => placeAt(distance, joint)) < wanted) near = distance
    else far = distance
  }
  return seen.map(({ x, y, score }, joint) => {
    return { name: bodyJointNames[joint], x, y, score, place: placeAt(near, joint) }
  })
}

/** The middles of an animal's parts. */
function middlesOf({ width, data }: LabelMap): Keypoint[] {
  return animalParts.flatMap((part, i): Keypoint[] => {
    let [x, y, count] = [0, 0, 0]
    data.forEach((label, pixel) => {
      if (label !== firstAnimalLabel + i) return
      x += pixel % width
      y += Math.floor(pixel / width)
      count++
    })
    // The more of a part is seen, the more its middle tells.
    return count === 0
      ? []
      : [{ name: partNode(part), x: x / count, y: y / count, score: count / (count + leastPixels) }]
  })
}
