// Takes that are in a collection twice, whole or in part.

import { bodyJoints } from '../../models/body/skeleton.js'
import { poseNumbers, type Motion } from './motion.js'

// Two takes are the same where so many frames of one are those of the other, every body joint but the pelvis within so
// many radians: captured twice, people differ by much more.
const probeFrames = 45
const sameWithin = 0.02

// Frames are looked up by these numbers of theirs, which differ from one pose to the next: of hips, knee and shoulders.
const keyNumbers = [3, 6, 12, 3 * 16 + 2, 3 * 17 + 2]

interface Place {
  readonly take: number
  readonly frame: number
}

/** Of takes that hold the middle of an earlier one, or the other way round: by index, the first take they repeat. */
export function findDoubles(takes: readonly Motion[]): Map<number, number> {
  const places = new Map<string, Place[]>()
  takes.forEach(({ frames, poses }, take) => {
    for (let frame = 0; frame < frames; frame++) {
      const key = keyNumbers.map(i => cell(poses[frame * poseNumbers + i])).join()
      const found = places.get(key)
      if (found) found.push({ take, frame })
      else places.set(key, [{ take, frame }])
    }
  })
  const pairs = takes.flatMap((part, i) => {
    const { start, length } = middleOf(part)
    const candidates = keysNear(part.poses, start).flatMap(key => places.get(key) ?? [])
    // Once for each take: of somebody who stands still every frame is a candidate.
    const same = new Set<number>()
    for (const { take, frame } of candidates)
      if (take !== i && !same.has(take) && alike(takes[take], frame, part, start, length)) same.add(take)
    return [...same].map(take => [Math.min(i, take), Math.max(i, take)] as const)
  })
  const doubles = new Map<number, number>()
  // Earlier ones first, so that a take is never said to repeat one that is itself left out.
  pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  for (const [first, second] of pairs) if (!doubles.has(first) && !doubles.has(second)) doubles.set(second, first)
  return doubles
}

function middleOf({ frames }: Motion): { start: number; length: number } {
  const length = Math.min(probeFrames, frames)
  return { start: Math.floor((frames - length) / 2), length }
}

/** Numbers in one cell are near each other; what is near a number is in its cell or a neighbour. */
function cell(value: number): number {
  return Math.floor(value / (2 * sameWithin))
}

/** The keys that a frame like this one may have: all combinations of the cells within reach. */
function keysNear(poses: Float32Array, frame: number): string[] {
  const choices = keyNumbers.map(i => {
    const value = poses[frame * poseNumbers + i]
    return [...new Set([cell(value - sameWithin), cell(value + sameWithin)])]
  })
  return choices.reduce<string[]>(
    (keys, cells) => keys.flatMap(key => cells.map(cell => (key === '' ? `${cell}` : `${key},${cell}`))),
    [''],
  )
}

function alike(a: Motion, startA: number, b: Motion, startB: number, length: number): boolean {
  if (startA + length > a.frames) return false
  for (let frame = 0; frame < length; frame++) {
    const [p, q] = [(startA + frame) * poseNumbers, (startB + frame) * poseNumbers]
    for (let i = 3; i < 3 * bodyJoints; i++) if (Math.abs(a.poses[p + i] - b.poses[q + i]) > sameWithin) return false
  }
  return true
}
