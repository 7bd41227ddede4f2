// What the part extractor is to see in a frame of a clip.

import type { PartExtractorConfig } from '../../models/extractor/config.js'
import { resizeNearest } from '../../models/svd/resize.js'
import type { Clip, ClipPeople } from '../svd/clips.js'

export interface ExtractorTargets {
  /** [S,S]: part labels. */
  readonly labels: Int32Array
  /** [S,S]: what each counts. */
  readonly counts: Float32Array
  /** [J,P]: how likely a joint is at each of the places of a map, all together 1; or zeros, where it does not count. */
  readonly places: Float32Array
  /** [J]: metres behind the pelvis; and 1 where it counts, else 0. */
  readonly depths: Float32Array
  readonly known: Float32Array
}

// Deviation of a joint's place, in cells of the map.
const spread = 0.8

/** Targets of the first frame. A clip without labels teaches no parts, one without people no joints. */
export function targetsOf(
  { frames: [frame], labels, people }: Clip,
  { imageSize, joints }: Pick<PartExtractorConfig, 'imageSize' | 'joints'>,
  background: number,
): ExtractorTargets {
  const side = imageSize / 2
  const map = labels && resizeNearest(labels[0], imageSize, imageSize).data
  const area = imageSize * imageSize
  const targets = {
    labels: map ? Int32Array.from(map) : new Int32Array(area),
    counts: map ? Float32Array.from(map, label => (label === 0 ? background : 1)) : new Float32Array(area),
    places: new Float32Array(joints * side * side),
    depths: new Float32Array(joints),
    known: new Float32Array(joints),
  }
  const person = people && mostVisible(people[0])
  if (person === undefined) return targets
  const { places } = people![0]
  const at = (joint: number) => 3 * (person * people![0].joints + joint)
  for (let joint = 0; joint < Math.min(joints, people![0].joints); joint++) {
    const [x, y, z] = places.subarray(at(joint))
    const cell = (pixel: number, size: number) => ((pixel + 0.5) * side) / size - 0.5
    const isIn = paint(targets.places, joint, side, cell(x, frame.width), cell(y, frame.height))
    if (!isIn) continue
    targets.depths[joint] = z - places[at(0) + 2]
    targets.known[joint] = 1
  }
  return targets
}

/** The person of whom most joints are seen; none if nobody is. */
function mostVisible({ people, joints, visible }: ClipPeople): number | undefined {
  const seen = Array.from({ length: people }, (_, person) =>
    visible.subarray(person * joints, (person + 1) * joints).reduce((sum, flag) => sum + Number(flag !== 0), 0),
  )
  const most = Math.max(0, ...seen)
  return most === 0 ? undefined : seen.indexOf(most)
}

/** A round hill of all together 1 on a joint's map; tells whether it lies there. */
function paint(maps: Float32Array, joint: number, side: number, x: number, y: number): boolean {
  if (!(x > -0.5 && y > -0.5 && x < side - 0.5 && y < side - 0.5)) return false
  const map = maps.subarray(joint * side * side, (joint + 1) * side * side)
  for (let i = 0; i < map.length; i++)
    map[i] = Math.exp(
      -(((i % side) - x) ** 2) / (2 * spread ** 2) - (Math.floor(i / side) - y) ** 2 / (2 * spread ** 2),
    )
  const total = map.reduce((sum, value) => sum + value, 0)
  map.forEach((value, i) => (map[i] = value / total))
  return true
}
