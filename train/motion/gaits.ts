// Quadrupeds that walk, trot and gallop: feet stand still on the floor while they carry, legs reach them by inverse
// kinematics in the upright plane of the trunk, so every joint but the first turns about x alone.
// Which foot follows which: Hildebrand, "Symmetrical gaits of horses", Science 150 (1965); lateral-sequence walk.

import { aboutAxis, multiply, toAxisAngle } from '../../models/body/quaternion.js'
import { quadrupedJointNames, quadrupedParents, quadrupedRest } from '../../models/body/quadruped-skeleton.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import type { Generator } from '../../tensor/index.js'
import { motionFps } from './motion.js'

/** How animals go. */
export const gaitKinds = ['walk', 'trot', 'gallop'] as const
export type GaitKind = (typeof gaitKinds)[number]

/** Legs: left and right front, left and right hind. */
export const legNames = [
  ['LLeg1', 'LLeg2', 'LLeg3', 'LFoot'],
  ['RLeg1', 'RLeg2', 'RLeg3', 'RFoot'],
  ['LLegBack1', 'LLegBack2', 'LLegBack3', 'LFootBack'],
  ['RLegBack1', 'RLegBack2', 'RLegBack3', 'RFootBack'],
] as const

interface Gait {
  /** Seconds of a cycle, and the share of it that a foot is on the floor. */
  readonly period: number
  readonly duty: number
  /** Metres that the trunk goes while a foot stands. */
  readonly stance: number
  /** When in the cycle each leg comes down. */
  readonly phases: readonly number[]
  /** How the spine bends, radians, and how high feet are lifted, metres. */
  readonly bend: number
  readonly lift: number
}

/** The gaits of an animal of the open quadruped's size, before they are varied. */
export const gaits: Readonly<Record<GaitKind, Gait>> = {
  walk: { period: 0.7, duty: 0.65, stance: 0.28, phases: [0.25, 0.75, 0, 0.5], bend: 0.01, lift: 0.05 },
  trot: { period: 0.42, duty: 0.45, stance: 0.28, phases: [0, 0.5, 0.5, 0], bend: 0.01, lift: 0.07 },
  gallop: { period: 0.38, duty: 0.25, stance: 0.28, phases: [0.5, 0.6, 0, 0.1], bend: 0.08, lift: 0.1 },
}

/** How high the joint of a standing foot is, metres. */
export const footHeight = 0.02
// Trunks are so much lower than with straight legs, metres: else feet behind and before could not be reached.
const crouch = 0.06

const indexOf = (name: string) => quadrupedJointNames.indexOf(name)
const rest = (joint: number): Point => [quadrupedRest[3 * joint + 1], quadrupedRest[3 * joint + 2]]

/** Up and forward. */
type Point = readonly [y: number, z: number]

const turned = ([y, z]: Point, angle: number): Point => [
  y * Math.cos(angle) - z * Math.sin(angle),
  y * Math.sin(angle) + z * Math.cos(angle),
]
const minus = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1]]
const plus = (a: Point, b: Point): Point => [a[0] + b[0], a[1] + b[1]]
const angleOf = ([y, z]: Point) => Math.atan2(z, y)

/** An animal of the open quadruped's size in a gait, drawn by a random generator: pace, heading, place and phase. */
export function drawGait(kind: GaitKind, frames: number, random: Generator): EntityMotion {
  const between = (least: number, most: number) => least + (most - least) * random.rand(1)[0]
  const gait = gaits[kind]
  const period = gait.period * between(0.9, 1.15)
  const stance = gait.stance * between(0.8, 1)
  const pace = { ...gait, period, stance }
  const speed = stance / (gait.duty * period)
  const [heading, start] = [between(-Math.PI, Math.PI), between(0, 1)]
  const place = [between(-1, 1), between(-1, 1)]
  const width = numbersOf('animal')
  const numbers = new Float32Array(frames * width)
  for (let frame = 0; frame < frames; frame++) {
    const time = frame / motionFps
    const phase = start + time / period
    const { angles, height } = poseOf(pace, phase)
    angles.forEach((angle, joint) => {
      const local = joint === 0 ? 0 : angle - angles[quadrupedParents[joint]]
      const turn = joint === 0 ? multiply(aboutAxis('y', heading), aboutAxis('x', angle)) : aboutAxis('x', local)
      numbers.set(toAxisAngle(turn), frame * width + 3 * joint)
    })
    const [x, z] = [Math.sin(heading), Math.cos(heading)].map((way, axis) => place[axis] + way * speed * time)
    numbers.set([x, height, z], frame * width + width - 3)
  }
  return { kind: 'animal', numbers }
}

/** How far every joint is turned about x against the rest pose, and how high the first one is. */
function poseOf(gait: Gait, phase: number): { angles: number[]; height: number } {
  const wave = (shift: number, times = 1) => Math.sin(2 * Math.PI * times * (phase - shift))
  const height = footHeight - rest(indexOf('LFoot'))[0] - crouch + 0.005 * wave(0, 2)
  const angles: number[] = []
  quadrupedJointNames.forEach((name, joint) => {
    const above = joint === 0 ? 0 : angles[quadrupedParents[joint]]
    const own =
      name === 'spine0' || name === 'spine2' ? gait.bend * wave(0.2) : name === 'Neck' ? 0.05 * wave(0.1, 2) : 0
    angles.push(above + own + (/^Tail[1-4]/.test(name) ? 0.04 * wave(0.1) : 0))
  })
  legNames.forEach((leg, i) => {
    const [upper, middle, lower, foot] = leg.map(indexOf)
    const hip = placeOf(upper, angles)
    const target = minus(plus(footAt(gait, phase - gait.phases[i], foot, height), minus(rest(lower), rest(foot))), hip)
    const [thigh, shin] = [minus(rest(middle), rest(upper)), minus(rest(lower), rest(middle))]
    const [a, b] = [Math.hypot(...thigh), Math.hypot(...shin)]
    const reach = Math.min(Math.hypot(...target), 0.9999 * (a + b))
    const opening = Math.acos((a * a + reach * reach - b * b) / (2 * a * reach))
    // The knee stays on the side where it is at rest.
    const side = Math.sign(thigh[0] * shin[1] - thigh[1] * shin[0])
    const direction = angleOf(target) - side * opening
    const knee: Point = [a * Math.cos(direction), a * Math.sin(direction)]
    angles[upper] = direction - angleOf(thigh)
    angles[middle] = angleOf(minus(target, knee)) - angleOf(shin)
    angles[lower] = angles[foot] = 0
  })
  return { angles, height }
}

/** Where a joint of the trunk is, from the first one. */
function placeOf(joint: number, angles: readonly number[]): Point {
  const parent = quadrupedParents[joint]
  if (parent < 0) return [0, 0]
  return plus(placeOf(parent, angles), turned(minus(rest(joint), rest(parent)), angles[parent]))
}

/** Where a foot is, from the first joint: back with the floor while it stands, then forward through the air. */
function footAt({ duty, stance, lift }: Gait, phase: number, foot: number, height: number): Point {
  const share = phase - Math.floor(phase)
  const neutral = rest(foot)[1]
  if (share < duty) return [footHeight - height, neutral + stance * (0.5 - share / duty)]
  const swing = (share - duty) / (1 - duty)
  const forward = swing * swing * (3 - 2 * swing) - 0.5
  return [footHeight - height + lift * Math.sin(Math.PI * swing), neutral + stance * forward]
}
