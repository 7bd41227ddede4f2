// How motions are broken, for the PPPM to learn to mend them: the paper's three ways (ReVision, section 3.3), and frames
// that are not known at all, for filling, carrying on, and finding the way to a target pose.

import type { Generator } from '../../tensor/index.js'
import { fromAxisAngle, multiply, toAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import type { EntityMotion } from '../../models/pppm/encoding.js'
import { numbersOf } from '../../models/pppm/encoding.js'
import { jointsOf } from '../../models/pppm/kinds.js'

/**
 * `noise`, `shuffle` and `drop` are the paper's. Of the others `mask` hides a span, `sparse` all but every n-th frame,
 * `journey` all but the first and those that are known.
 */
export const perturbations = ['noise', 'shuffle', 'drop', 'mask', 'sparse', 'journey'] as const
export type Perturbation = (typeof perturbations)[number]

/** A broken motion. */
export interface Broken {
  readonly entity: EntityMotion
  /** [T]: 1 where the frame is given as true and must come out as it went in. */
  readonly known: Float32Array
  /** [T]: 0 where nothing is known of the frame, else 1. */
  readonly confidence: Float32Array
  /** [T]: the frame that each given frame belongs to. */
  readonly times: Float32Array
}

/** How strong the noise is at most, and how long segments are. */
export const perturbationBounds = {
  /** Radians, of each joint's rotation vector. */
  rotation: 0.15,
  /** Metres, of translations and points. */
  position: 0.05,
  /** Frames that are shuffled together, as a share of all. */
  shuffle: { least: 0.1, most: 0.3 },
  /** Frames that are dropped, as a share of all. */
  drop: { least: 0.1, most: 0.3 },
  /** Frames that are masked, as a share of all. */
  mask: { least: 0.1, most: 0.6 },
} as const

/** Breaks a motion in the given ways, one after the other. Frames that are `known` beforehand stay as they are. */
export function perturb(
  entity: EntityMotion,
  ways: readonly Perturbation[],
  random: Generator,
  known: Float32Array = new Float32Array(framesOf(entity)),
): Broken {
  const frames = framesOf(entity)
  const confidence = new Float32Array(frames).fill(1)
  let order = Array.from({ length: frames }, (_, i) => i)
  let moved = entity
  for (const way of ways) {
    if (way === 'noise') moved = addNoise(moved, random)
    else if (way === 'shuffle' || way === 'drop') {
      const taken = way === 'shuffle' ? shuffledOrder(frames, random) : droppedOrder(frames, random)
      moved = takeFrames(moved, taken)
      order = taken.map(frame => order[frame])
    } else for (const frame of hiddenFrames(way, frames, random)) confidence[frame] = 0
  }
  const width = numbersOf(entity.kind)
  const numbers = moved.numbers.slice()
  for (const [frame, isKnown] of known.entries()) {
    if (!isKnown) continue
    const [start, end] = [frame * width, (frame + 1) * width]
    numbers.set(entity.numbers.subarray(start, end), start)
    confidence[frame] = 1
    order[frame] = frame
  }
  hideMasked(numbers, width, confidence)
  return { entity: { kind: entity.kind, numbers }, known, confidence, times: Float32Array.from(order) }
}

/** Frames of a motion. */
export function framesOf({ kind, numbers }: EntityMotion): number {
  return numbers.length / numbersOf(kind)
}

/** One of the paper's ways, or several at once: what training and evaluation call the mixture. */
export function randomWays(random: Generator): Perturbation[] {
  const chosen = (['noise', 'shuffle', 'drop'] as const).filter(() => uniform(random) < 0.5)
  return chosen.length > 0 ? chosen : ['noise']
}

/** Small noise on every frame by itself; how small is drawn once for the motion. */
function addNoise({ kind, numbers }: EntityMotion, random: Generator): EntityMotion {
  const width = numbersOf(kind)
  const joints = jointsOf[kind]
  const strength = uniform(random)
  const noise = random.randn(numbers.length)
  const out = numbers.slice()
  for (let i = 0; i < numbers.length / 3; i++) {
    const isJoint = i % (width / 3) < joints
    const scale = strength * (isJoint ? perturbationBounds.rotation : perturbationBounds.position)
    const [x, y, z] = [noise[3 * i] * scale, noise[3 * i + 1] * scale, noise[3 * i + 2] * scale]
    const given = vectorAt(numbers, i)
    const noisy = isJoint
      ? toAxisAngle(multiply(fromAxisAngle([x, y, z]), fromAxisAngle(given)))
      : [given[0] + x, given[1] + y, given[2] + z]
    for (let axis = 0; axis < 3; axis++) out[3 * i + axis] = noisy[axis]
  }
  return { kind, numbers: out }
}

/** The motion with frames in another order. */
function takeFrames(entity: EntityMotion, order: readonly number[]): EntityMotion {
  const width = numbersOf(entity.kind)
  const out = new Float32Array(order.length * width)
  order.forEach((from, to) => out.set(entity.numbers.subarray(from * width, (from + 1) * width), to * width))
  return { kind: entity.kind, numbers: out }
}

/** A run of frames: a share of all, somewhere. */
function segment(
  frames: number,
  { least, most }: { least: number; most: number },
  random: Generator,
): [number, number] {
  const length = Math.min(frames, Math.max(2, Math.round(frames * (least + (most - least) * uniform(random)))))
  const start = Math.floor(uniform(random) * (frames - length + 1))
  return [start, start + length]
}

/** All frames, those of a segment in random order. */
function shuffledOrder(frames: number, random: Generator): number[] {
  const order = Array.from({ length: frames }, (_, i) => i)
  const [start, end] = segment(frames, perturbationBounds.shuffle, random)
  for (let i = end - 1; i > start; i--) {
    const j = start + Math.floor(uniform(random) * (i - start + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}

/** A segment is missing; what is left is repeated from its beginning until the old length is reached. */
function droppedOrder(frames: number, random: Generator): number[] {
  const [start, end] = segment(frames, perturbationBounds.drop, random)
  const left = Array.from({ length: frames }, (_, i) => i).filter(i => i < start || i >= end)
  return Array.from({ length: frames }, (_, i) => left[i % left.length])
}

/** Frames of which nothing is known. */
function hiddenFrames(way: 'mask' | 'sparse' | 'journey', frames: number, random: Generator): number[] {
  if (way === 'mask') return maskedSpan(frames, random)
  const every = way === 'sparse' ? random.randint(2, 5, 1)[0] : frames
  return Array.from({ length: frames }, (_, frame) => frame).filter(frame => frame % every !== 0)
}

/** A span inside, or the end. */
function maskedSpan(frames: number, random: Generator): number[] {
  const [start, end] = segment(frames, perturbationBounds.mask, random)
  const toEnd = uniform(random) < 0.3
  const first = Math.max(1, toEnd ? frames - (end - start) : start)
  return Array.from({ length: Math.max(0, Math.min(frames, first + end - start) - first) }, (_, i) => first + i)
}

/** Frames without confidence repeat the one before: nothing of what was there is left. */
export function hideMasked(numbers: Float32Array, width: number, confidence: ArrayLike<number>): void {
  const frames = numbers.length / width
  let shown = Array.from({ length: frames }, (_, i) => i).findIndex(frame => confidence[frame] > 0)
  for (let frame = 0; frame < frames; frame++) {
    if (confidence[frame] > 0) shown = frame
    else if (shown >= 0) numbers.copyWithin(frame * width, shown * width, (shown + 1) * width)
    else numbers.fill(0, frame * width, (frame + 1) * width)
  }
}

/** A number in 0..1. */
function uniform(random: Generator): number {
  return random.rand(1)[0]
}
