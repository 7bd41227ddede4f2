// Who is who over time: detections of neighbouring frames belong together if they overlap and look alike.

import type { Picture } from '../../models/svd/picture.js'
import { colours, likeness } from './appearance.js'
import { assign } from './assign.js'
import type { Box, Detection, Track } from './detection.js'

// Somebody hidden for more frames than this is somebody new.
const patience = 12
// A pair that costs more than this is none.
const dearest = 1
// What overlap, distance and looks add to the cost, each 0..1.
const weights = { overlap: 0.4, distance: 0.4, looks: 0.8 }
// A box whose area is less than this share of another's is of something else.
const leastGrowth = 0.3
// Looks are averaged over about so many frames.
const memory = 5

interface LiveTrack {
  readonly kind: Detection['kind']
  readonly seen: (Detection | undefined)[]
  box: Box
  /** Pixels a frame. */
  speed: readonly [x: number, y: number]
  looks: Float32Array
  /** Frames since it was seen. */
  missed: number
}

/** Pixels in both boxes over pixels in either. */
export function overlap(a: Box, b: Box): number {
  const [width, height] = [
    Math.min(a.right, b.right) - Math.max(a.left, b.left),
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
  ]
  if (width <= 0 || height <= 0) return 0
  return (width * height) / (areaOf(a) + areaOf(b) - width * height)
}

function areaOf({ left, top, right, bottom }: Box): number {
  return (right - left) * (bottom - top)
}

function middleOf({ left, top, right, bottom }: Box): [number, number] {
  return [(left + right) / 2, (top + bottom) / 2]
}

/** Where a track is expected: on its way as before. */
function expected({ box, speed, missed }: LiveTrack): Box {
  const [x, y] = [speed[0] * (missed + 1), speed[1] * (missed + 1)]
  return { left: box.left + x, top: box.top + y, right: box.right + x, bottom: box.bottom + y }
}

function costOf(track: LiveTrack, detection: Detection, looks: Float32Array): number {
  const { box } = detection
  const growth = areaOf(box) / areaOf(track.box)
  if (track.kind !== detection.kind || !(growth > leastGrowth && growth < 1 / leastGrowth)) return Infinity
  const place = expected(track)
  const [[ax, ay], [bx, by]] = [middleOf(place), middleOf(box)]
  // Who was hidden may have gone another way.
  const reach = Math.sqrt(areaOf(track.box)) * (1 + 0.25 * track.missed)
  const distance = Math.hypot(ax - bx, ay - by) / reach
  if (distance > 1) return Infinity
  const unlike = 1 - likeness(track.looks, looks)
  return weights.overlap * (1 - overlap(place, box)) + weights.distance * distance + weights.looks * unlike
}

/**
 * Joins the detections of a video into tracks, those that fill most of the video first. What was seen once only, in a
 * video of several frames, is left out.
 *
 * @param detections of each frame
 */
export function trackDetections(frames: readonly Picture[], detections: readonly (readonly Detection[])[]): Track[] {
  const tracks: LiveTrack[] = []
  detections.forEach((found, frame) => {
    const looks = found.map(detection => colours(frames[frame], detection))
    const live = tracks.filter(({ missed }) => missed < patience)
    // Behind the detections each track may have none.
    const costs = live.map(track => [
      ...found.map((detection, i) => Math.min(costOf(track, detection, looks[i]), 2 * dearest)),
      ...live.map(() => dearest),
    ])
    const pairs = assign(costs)
    for (const track of tracks) {
      const i = pairs[live.indexOf(track)] ?? -1
      if (i >= 0 && i < found.length) extend(track, found[i], looks[i])
      else {
        track.seen.push(undefined)
        track.missed++
      }
    }
    found.forEach((detection, i) => {
      if (!pairs.includes(i)) tracks.push(begin(detection, looks[i], frame))
    })
  })
  const least = frames.length > 1 ? 2 : 1
  const size = ({ seen }: LiveTrack) =>
    seen.reduce((sum, detection) => sum + (detection ? areaOf(detection.box) : 0), 0)
  const kept = tracks.filter(({ seen }) => seen.filter(Boolean).length >= least).sort((a, b) => size(b) - size(a))
  return kept.map((track, i): Track => {
    const number = kept.slice(0, i).filter(({ kind }) => kind === track.kind).length + 1
    return { id: `${track.kind}-${number}`, kind: track.kind, name: nameOf(track), detections: track.seen }
  })
}

function begin(detection: Detection, looks: Float32Array, frame: number): LiveTrack {
  const seen = [...new Array<undefined>(frame), detection]
  return { kind: detection.kind, seen, box: detection.box, speed: [0, 0], looks, missed: 0 }
}

function extend(track: LiveTrack, detection: Detection, looks: Float32Array): void {
  const [[ax, ay], [bx, by]] = [middleOf(track.box), middleOf(detection.box)]
  const frames = track.missed + 1
  const isNew = track.seen.filter(Boolean).length === 1
  const share = isNew ? 1 : 0.5
  track.speed = [
    track.speed[0] + share * ((bx - ax) / frames - track.speed[0]),
    track.speed[1] + share * ((by - ay) / frames - track.speed[1]),
  ]
  track.looks = track.looks.map((value, i) => value + (looks[i] - value) / memory)
  track.box = detection.box
  track.missed = 0
  track.seen.push(detection)
}

/** The class that it was taken for most often. */
function nameOf({ seen }: LiveTrack): string {
  const votes = new Map<string, number>()
  for (const detection of seen)
    if (detection) votes.set(detection.name, (votes.get(detection.name) ?? 0) + detection.score)
  return [...votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))[0]
}
