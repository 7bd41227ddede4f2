// The open body: a person of this project's own on SMPL-X's joint tree, of capsules grown together. In its rest pose it
// stands with arms stretched out to the sides, palms down; x is to its left, y up, z to its front; it is 1.72 m tall,
// and its pelvis is at the origin.

import type { BodyData } from './body-data.js'
import type { Capsule } from './flesh.js'
import { gridLines, growBody, mirroredLines, on, type ShapeCoefficient } from './grow.js'
import { humanLabel } from './labels.js'
import type { Vector } from './quaternion.js'
import { jointIndex, jointNames, jointParents, restJoints } from './skeleton.js'

/** A capsule of the middle or the left half, by names. */
interface Piece {
  readonly joint: string
  readonly part: string
  readonly from: Vector
  readonly to: Vector
  readonly radii: readonly [number, number]
  readonly stretch?: Vector
}

function place(joint: string): Vector {
  const at = 3 * jointIndex(joint)
  return [restJoints[at], restJoints[at + 1], restJoints[at + 2]]
}

/** The point that lies beyond the last joint of a finger. */
function beyond(finger: string, length: number): Vector {
  const [a, b] = [place(`left_${finger}2`), place(`left_${finger}3`)]
  const bone = Math.hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2])
  const at = (axis: 0 | 1 | 2) => b[axis] + (length / bone) * (b[axis] - a[axis])
  return [at(0), at(1), at(2)]
}

function finger(name: string, radius: number, tip: number): Piece[] {
  const ends = [1, 2, 3].map(n => place(`left_${name}${n}`))
  return [1, 2, 3].map(n => ({
    joint: `left_${name}${n}`,
    part: 'left fingers',
    from: ends[n - 1],
    to: n < 3 ? ends[n] : beyond(name, tip),
    radii: [radius * (1.06 - 0.06 * n), radius * (1 - 0.06 * n)] as const,
  }))
}

const trunk: readonly Piece[] = [
  {
    joint: 'pelvis',
    part: 'pelvis',
    from: [0, -0.05, -0.01],
    to: [0, 0.03, -0.005],
    radii: [0.105, 0.1],
    stretch: [1.48, 1, 1],
  },
  {
    joint: 'spine1',
    part: 'abdomen',
    from: [0, 0.1, 0],
    to: [0, 0.17, 0],
    radii: [0.094, 0.094],
    stretch: [1.42, 1, 1],
  },
  {
    joint: 'spine2',
    part: 'abdomen',
    from: [0, 0.23, 0],
    to: [0, 0.25, 0],
    radii: [0.1, 0.102],
    stretch: [1.44, 1, 1],
  },
  {
    joint: 'spine3',
    part: 'chest',
    from: [0, 0.3, 0],
    to: [0, 0.375, -0.012],
    radii: [0.106, 0.086],
    stretch: [1.5, 1, 1],
  },
  {
    joint: 'spine3',
    part: 'chest',
    from: [0, 0.4, -0.02],
    to: [0, 0.44, -0.025],
    radii: [0.07, 0.06],
    stretch: [1.5, 1, 1],
  },
  { joint: 'neck', part: 'neck', from: [0, 0.48, -0.025], to: [0, 0.57, -0.005], radii: [0.056, 0.053] },
  {
    joint: 'head',
    part: 'head',
    from: [0, 0.665, -0.022],
    to: [0, 0.668, 0.002],
    radii: [0.08, 0.078],
    stretch: [1, 1.14, 1.14],
  },
  {
    joint: 'head',
    part: 'face',
    from: [0, 0.68, 0.03],
    to: [0, 0.63, 0.042],
    radii: [0.06, 0.054],
    stretch: [1.1, 1, 1],
  },
  { joint: 'head', part: 'face', from: [0, 0.638, 0.094], to: [0, 0.618, 0.105], radii: [0.009, 0.013] },
  {
    joint: 'jaw',
    part: 'face',
    from: [0, 0.59, 0.04],
    to: [0, 0.578, 0.066],
    radii: [0.042, 0.026],
    stretch: [1.15, 1, 1],
  },
]

const left: readonly Piece[] = [
  { joint: 'pelvis', part: 'pelvis', from: [0.065, -0.075, -0.045], to: [0.07, -0.1, -0.04], radii: [0.075, 0.07] },
  { joint: 'spine3', part: 'chest', from: [0.065, 0.33, 0.035], to: [0.07, 0.345, 0.03], radii: [0.058, 0.055] },
  {
    joint: 'left_collar',
    part: 'left shoulder',
    from: [0.05, 0.44, -0.02],
    to: [0.14, 0.44, -0.02],
    radii: [0.056, 0.052],
  },
  {
    joint: 'left_shoulder',
    part: 'left upper arm',
    from: [0.178, 0.436, -0.02],
    to: [0.22, 0.44, -0.022],
    radii: [0.055, 0.048],
  },
  {
    joint: 'left_shoulder',
    part: 'left upper arm',
    from: [0.22, 0.44, -0.022],
    to: place('left_elbow'),
    radii: [0.048, 0.037],
  },
  {
    joint: 'left_elbow',
    part: 'left forearm',
    from: place('left_elbow'),
    to: [0.5, 0.437, -0.03],
    radii: [0.036, 0.038],
  },
  {
    joint: 'left_elbow',
    part: 'left forearm',
    from: [0.5, 0.437, -0.03],
    to: place('left_wrist'),
    radii: [0.038, 0.025],
  },
  {
    joint: 'left_wrist',
    part: 'left hand',
    from: [0.69, 0.438, -0.031],
    to: [0.757, 0.433, -0.036],
    radii: [0.017, 0.017],
    stretch: [1, 1, 2.15],
  },
  ...finger('index', 0.0125, 0.016),
  ...finger('middle', 0.0128, 0.017),
  ...finger('ring', 0.0125, 0.016),
  ...finger('pinky', 0.012, 0.012),
  {
    joint: 'left_wrist',
    part: 'left hand',
    from: [0.69, 0.435, -0.02],
    to: place('left_thumb1'),
    radii: [0.016, 0.016],
  },
  ...finger('thumb', 0.0135, 0.016),
  { joint: 'left_hip', part: 'left thigh', from: [0.083, -0.1, 0], to: [0.088, -0.28, 0.008], radii: [0.085, 0.074] },
  { joint: 'left_hip', part: 'left thigh', from: [0.088, -0.28, 0.008], to: place('left_knee'), radii: [0.074, 0.052] },
  { joint: 'left_knee', part: 'left shin', from: place('left_knee'), to: [0.09, -0.6, -0.02], radii: [0.05, 0.051] },
  { joint: 'left_knee', part: 'left shin', from: [0.09, -0.6, -0.02], to: place('left_ankle'), radii: [0.051, 0.034] },
  {
    joint: 'left_ankle',
    part: 'left foot',
    from: [0.09, -0.88, -0.03],
    to: [0.092, -0.925, -0.055],
    radii: [0.036, 0.033],
  },
  {
    joint: 'left_ankle',
    part: 'left foot',
    from: [0.091, -0.905, -0.03],
    to: [0.103, -0.937, 0.075],
    radii: [0.036, 0.024],
    stretch: [1.15, 1, 1],
  },
  {
    joint: 'left_foot',
    part: 'left toes',
    from: [0.105, -0.94, 0.095],
    to: [0.106, -0.944, 0.145],
    radii: [0.021, 0.017],
    stretch: [1.85, 1, 1],
  },
]

function capsuleOf({ joint, part, stretch = [1, 1, 1], ...rest }: Piece): Capsule {
  return { ...rest, stretch, joint: jointIndex(joint), label: humanLabel(part) }
}

function mirrored({ joint, part, from, to, ...rest }: Piece): Piece {
  const across = ([x, y, z]: Vector): Vector => [-x, y, z]
  const other = (name: string) => name.replace('left', 'right')
  return { ...rest, joint: other(joint), part: other(part), from: across(from), to: across(to) }
}

const capsules = [...trunk, ...left, ...left.map(mirrored)].map(capsuleOf)

const trunkJoint = /^(pelvis|spine\d)$/
const arm = /shoulder|elbow/
const leg = /hip|knee/
const hand = /wrist|index|middle|ring|pinky|thumb/
const foot = /ankle|foot/
const skull = /head|jaw|eye/

/** A joint's way outwards, to its own side. */
const outwards =
  (pattern: RegExp, amount: number) =>
  (joint: string): Vector | undefined =>
    pattern.test(joint) ? [joint.startsWith('left') ? amount : -amount, 0, 0] : undefined

/** What the ten shape coefficients do, each in steps as people differ: 0 is the middle, -2..2 most people. */
export const humanShape: readonly ShapeCoefficient[] = [
  { name: 'stature', length: () => 0.035, girth: () => 0.035 },
  { name: 'weight', girth: joint => on(trunkJoint, 0.1)(joint) + on(arm, 0.07)(joint) + on(leg, 0.07)(joint) },
  { name: 'leg length', length: on(leg, 0.035) },
  { name: 'arm length', length: on(arm, 0.035) },
  { name: 'trunk length', length: on(trunkJoint, 0.03) },
  { name: 'shoulder width', shift: outwards(/collar|shoulder/, 0.007), girth: on(/spine3/, 0.03) },
  { name: 'hip width', shift: outwards(/hip/, 0.007), girth: on(/pelvis/, 0.05) },
  { name: 'belly', girth: on(/spine[12]/, 0.12) },
  { name: 'muscle', girth: joint => on(arm, 0.09)(joint) + on(leg, 0.05)(joint) + on(/spine3|collar/, 0.05)(joint) },
  {
    name: 'head, hands and feet',
    length: joint => on(skull, 0.04)(joint) + on(hand, 0.04)(joint) + on(foot, 0.04)(joint),
    girth: joint => on(skull, 0.04)(joint) + on(hand, 0.04)(joint) + on(foot, 0.04)(joint),
  },
]

// Finer where hands and feet are.
const side: readonly (readonly [number, number])[] = [
  [0, 0.024],
  [0.24, 0.036],
  [0.67, 0.0125],
]
const lines = [
  mirroredLines(gridLines(side, 0.9)),
  gridLines(
    [
      [-0.99, 0.014],
      [-0.9, 0.032],
      [0.39, 0.0105],
      [0.47, 0.021],
    ],
    0.8,
  ),
  gridLines(
    [
      [-0.18, 0.022],
      [-0.095, 0.0135],
      [0.05, 0.018],
    ],
    0.21,
  ),
] as const

let grown: BodyData | undefined

/** The open body, with SMPL-X's joints and ten shape coefficients (`humanShape`). Made once. */
export function openHuman(): BodyData {
  grown ??= growBody({
    kind: 'smplx',
    names: jointNames,
    parents: jointParents,
    joints: restJoints,
    capsules,
    lines,
    coefficients: humanShape,
  })
  return grown
}
