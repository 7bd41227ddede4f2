// The working detector: CenterNet finds people, animals and things, BlazePose the pose and the pixels of each person.

import type { Picture } from '../../../models/svd/picture.js'
import { cocoClasses, kindOfClass } from '../coco.js'
import type { Box, Detection, Detector } from '../detection.js'
import { meanOf } from '../fit/place.js'
import { showsFeet } from '../ground.js'
import { overlap } from '../track.js'
import { cutOut } from './crop.js'
import { findPackages, type Packages } from './install.js'
import { openNetworks, type Network } from './networks.js'
import { maskOf, poseSide, seePose, squareAround, type Pose } from './pose.js'

// What CenterNet looks at, pixels, and its output: x1, y1, x2, y2 in them, score, class.
const side = 512
const detections = 'tower_0/detections'
const numbers = 6
// Less sure ones are not looked at; nor those that another covers so much of (intersection over union).
const leastScore = { person: 0.3, thing: 0.45 } as const
const mostOverlap = 0.7
// BlazePose's presence that counts as a person.
const leastPresence = 0.5
const mostPeople = 8
const mostThings = 22
// People whose keypoints are apart by less than this share of their size are the same.
const samePerson = 0.12
const sameBox = 0.4
// How often a person is looked at again, and how far a square may move, of its side, to count as settled.
const mostLooks = 3
const settled = 0.06
// Whose box is cut off below is so many times as tall as what is seen, perhaps.
const perhapsTaller = [1, 1.5, 2]

/** A box that CenterNet told of. */
interface Found {
  readonly name: string
  readonly box: Box
  readonly score: number
}

/**
 * Detects people with pose and mask, animals and things with boxes. Frames of a video come in order, after `begin`:
 * people are looked for where they were in the frame before as well, so that they are not lost where boxes are missed.
 */
export class HumanModelsDetector implements Detector, Disposable {
  #before: readonly Pose[] = []

  private constructor(
    private readonly boxes: Network,
    private readonly poses: Network,
  ) {}

  /** Opens the networks. Throws a FileError that tells how to install them if they are not there. */
  static async open(packages: Packages = findPackages()): Promise<HumanModelsDetector> {
    const [boxes, poses] = await openNetworks(packages, [
      { name: 'centernet', side },
      { name: 'blazepose-heavy', side: poseSide },
    ])
    return new HumanModelsDetector(boxes, poses)
  }

  begin(): void {
    this.#before = []
  }

  async detect(picture: Picture): Promise<Detection[]> {
    const found = await this.#find(picture)
    const people = await this.#people(
      picture,
      found.filter(({ name }) => name === 'person'),
    )
    this.#before = people.map(({ pose }) => pose)
    const others = found.filter(({ name }) => name !== 'person').slice(0, mostThings)
    return [
      ...people.map(({ pose, score }): Detection => {
        const mask = maskOf(pose, picture)
        return { kind: 'human', name: 'person', box: boxOf(pose, picture), score, mask, keypoints: pose.keypoints }
      }),
      ...others.map(({ name, box, score }): Detection => ({
        kind: kindOfClass(name),
        name,
        box,
        score,
        keypoints: [],
      })),
    ]
  }

  /** Boxes, the surest first. */
  async #find(picture: Picture): Promise<Found[]> {
    const { width, height } = picture
    const crop = { x: (width - 1) / 2, y: (height - 1) / 2, side: Math.max(width, height), angle: 0 }
    const [rows] = await this.boxes.run(cutOut(picture, crop, side, 255), [detections])
    const scale = crop.side / side
    const place = (value: number, middle: number, most: number) =>
      Math.min(most - 1, Math.max(0, middle + (value - side / 2) * scale))
    const found = Array.from({ length: rows.length / numbers }, (_, i): Found => {
      const [x1, y1, x2, y2, score, label] = rows.subarray(i * numbers, (i + 1) * numbers)
      const box = {
        left: place(x1, crop.x, width),
        top: place(y1, crop.y, height),
        right: place(x2, crop.x, width),
        bottom: place(y2, crop.y, height),
      }
      return { name: cocoClasses[label] ?? 'thing', box, score }
    })
    const sure = found.filter(
      ({ name, score, box }) =>
        score >= (name === 'person' ? leastScore.person : leastScore.thing) &&
        box.right - box.left > 4 &&
        box.bottom - box.top > 4,
    )
    return sure.reduce<Found[]>(
      (kept, one) =>
        kept.some(other => other.name === one.name && overlap(other.box, one.box) > mostOverlap)
          ? kept
          : [...kept, one],
      [],
    )
  }

  /** The poses of people in boxes, and of those that were there in the frame before. */
  async #people(picture: Picture, found: readonly Found[]): Promise<{ pose: Pose; score: number }[]> {
    const people: { pose: Pose; score: number }[] = []
    const take = (pose: Pose, score: number) => {
      if (pose.presence < leastPresence || people.length >= mostPeople) return
      if (!people.some(other => isSame(other.pose, pose))) people.push({ pose, score })
    }
    for (const before of this.#before) {
      const pose = await seePose(this.poses, picture, before.next)
      take(pose, pose.presence)
    }
    const followed = new Set(people.map(({ pose }) => pose))
    for (const { box, score } of found) {
      const [known] = [...followed].filter(pose => overlap(boxOf(pose, picture), box) > sameBox)
      if (known) followed.delete(known)
      else take(await this.#bestPose(picture, box), score)
    }
    return people
  }

  /**
   * The pose in a box. Where the legs are below the picture the square has to leave room for them: else the network
   * squeezes the whole body into what is seen, hips under the arms. So squares of several sizes are tried; the longest
   * trunk is squeezed least.
   */
  async #bestPose(picture: Picture, box: Box): Promise<Pose> {
    const { top, bottom } = box
    let best: Pose | undefined
    for (const taller of showsFeet(box, picture.height) ? [1] : perhapsTaller) {
      const pose = await this.#settledPose(picture, { ...box, bottom: top + taller * (bottom - top) })
      if (!best || trunkOf(pose) > trunkOf(best)) best = pose
    }
    return best!
  }

  /** The pose in a box; turned, if it shows only so; then in the squares that it asks for, until they stay. */
  async #settledPose(picture: Picture, box: Box): Promise<Pose> {
    const crop = squareAround(box)
    let pose = await seePose(this.poses, picture, crop)
    for (const angle of [Math.PI, Math.PI / 2, -Math.PI / 2]) {
      if (pose.presence >= leastPresence) break
      const other = await seePose(this.poses, picture, { ...crop, angle })
      if (other.presence > pose.presence) pose = other
    }
    for (let look = 0; look < mostLooks && pose.presence >= leastPresence && !isSettled(pose); look++) {
      const closer = await seePose(this.poses, picture, pose.next)
      if (closer.presence < leastPresence) break
      pose = closer
    }
    return pose
  }

  dispose(): void {
    this.boxes.dispose()
    this.poses.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Whether the square that a pose asks for is about the one it was seen in. */
function isSettled({ crop, next }: Pose): boolean {
  const moved = Math.hypot(next.x - crop.x, next.y - crop.y) + Math.abs(next.side - crop.side)
  return moved + Math.abs(next.angle - crop.angle) * crop.side < settled * crop.side
}

/** From the shoulders' middle to the hips', metres; 0 where nobody was seen. */
function trunkOf({ keypoints, presence }: Pose): number {
  if (presence < leastPresence) return 0
  const middle = (part: 'shoulder' | 'hip') =>
    meanOf(keypoints.flatMap(({ name, place }) => (name.endsWith(part) && place ? [place] : [])))
  const [shoulders, hips] = [middle('shoulder'), middle('hip')]
  return Math.hypot(...shoulders.map((value, axis) => value - hips[axis]))
}

/** Points surer than this make the box of a pose. */
const sureScore = 0.5

/** Around a pose's keypoints, within the picture. */
function boxOf({ keypoints }: Pose, { width, height }: Picture): Box {
  const sure = keypoints.filter(({ score }) => score >= sureScore)
  const points = sure.length > 1 ? sure : keypoints
  const within = (value: number, most: number) => Math.min(most - 1, Math.max(0, value))
  const xs = points.map(({ x }) => within(x, width))
  const ys = points.map(({ y }) => within(y, height))
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}

function isSame(a: Pose, b: Pose): boolean {
  const apart = a.keypoints.map(({ x, y }, i) => Math.hypot(x - b.keypoints[i].x, y - b.keypoints[i].y))
  const middle = apart.sort((p, q) => p - q)[Math.floor(apart.length / 2)]
  return middle < samePerson * Math.min(a.next.side, b.next.side)
}
