// The open quadruped: a dog of this project's own on SMAL's joint tree, of capsules grown together. In its rest pose it
// stands on all fours; x is to its left, y up, z to its front; its back is 0.62 m high and its first joint, in the
// pelvis, is at the origin.

import type { BodyData } from './body-data.js'
import type { Capsule } from './flesh.js'
import { gridLines, growBody, mirroredLines, on, type ShapeCoefficient } from './grow.js'
import { animalLabel } from './labels.js'
import type { Vector } from './quaternion.js'
import { quadrupedJointNames, quadrupedParents, quadrupedRest } from './quadruped-skeleton.js'

/** A capsule of the middle or the left half: joint, part, from where to where, radii, stretch. */
type Piece = readonly [
  joint: string,
  part: string,
  from: Vector,
  to: Vector,
  radii: readonly [number, number],
  stretch?: Vector,
]

function place(joint: string): Vector {
  const at = 3 * quadrupedJointNames.indexOf(joint)
  return [quadrupedRest[at], quadrupedRest[at + 1], quadrupedRest[at + 2]]
}

const high: Vector = [1, 1.25, 1]

const middle: readonly Piece[] = [
  ['pelvis', 'pelvis', [0, -0.01, -0.04], [0, -0.01, 0.03], [0.07, 0.076], [1.1, 1.2, 1]],
  ['pelvis0', 'pelvis', [0, -0.015, 0.06], [0, -0.02, 0.11], [0.076, 0.078], [1.05, 1.2, 1]],
  ['spine', 'trunk', [0, -0.025, 0.14], [0, -0.03, 0.19], [0.078, 0.08], high],
  ['spine0', 'trunk', [0, -0.035, 0.22], [0, -0.04, 0.27], [0.082, 0.086], high],
  ['spine1', 'trunk', [0, -0.045, 0.3], [0, -0.05, 0.35], [0.088, 0.091], high],
  ['spine2', 'chest', [0, -0.055, 0.38], [0, -0.055, 0.43], [0.092, 0.09], high],
  ['spine3', 'chest', [0, -0.045, 0.46], [0, -0.02, 0.5], [0.085, 0.072], high],
  ['Neck', 'neck', [0, 0.01, 0.51], [0, 0.14, 0.61], [0.068, 0.05], [0.92, 1.05, 1]],
  ['Head', 'head', [0, 0.175, 0.635], [0, 0.17, 0.665], [0.06, 0.054]],
  ['Head', 'muzzle', [0, 0.165, 0.69], [0, 0.145, 0.765], [0.034, 0.024], [1.1, 0.9, 1]],
  ['Mouth', 'muzzle', [0, 0.135, 0.69], [0, 0.122, 0.745], [0.026, 0.018], [1.1, 0.85, 1]],
  ...[1, 2, 3, 4, 5, 6, 7].map((n): Piece => {
    const [from, tip]: Vector[] = [place(`Tail${n}`), [0, -0.24, -0.255]]
    const radius = 0.032 - 0.0022 * n
    return [`Tail${n}`, 'tail', from, n < 7 ? place(`Tail${n + 1}`) : tip, [radius, radius - 0.002]]
  }),
]

const left: readonly Piece[] = [
  ['LEar', 'ears', [0.036, 0.215, 0.625], [0.05, 0.262, 0.612], [0.024, 0.015], [1, 1, 0.8]],
  ['LLeg1', 'left front upper leg', [0.06, -0.05, 0.47], place('LLeg2'), [0.056, 0.037]],
  ['LLeg2', 'left front upper leg', place('LLeg2'), place('LLeg3'), [0.036, 0.026]],
  ['LLeg3', 'left front lower leg', place('LLeg3'), place('LFoot'), [0.026, 0.026]],
  ['LFoot', 'left front lower leg', [0.07, -0.522, 0.462], [0.07, -0.532, 0.5], [0.028, 0.022], [1.15, 1, 1]],
  ['LLegBack1', 'left hind upper leg', [0.055, -0.05, -0.01], place('LLegBack2'), [0.068, 0.045], [0.85, 1, 1]],
  ['LLegBack2', 'left hind upper leg', place('LLegBack2'), place('LLegBack3'), [0.043, 0.024]],
  ['LLegBack3', 'left hind lower leg', place('LLegBack3'), place('LFootBack'), [0.024, 0.025]],
  ['LFootBack', 'left hind lower leg', [0.07, -0.522, -0.053], [0.07, -0.532, -0.015], [0.028, 0.022], [1.15, 1, 1]],
]

function mirrored([joint, part, from, to, ...rest]: Piece): Piece {
  const across = ([x, y, z]: Vector): Vector => [-x, y, z]
  return [joint.replace('L', 'R'), part.replace('left', 'right'), across(from), across(to), ...rest]
}

function capsuleOf([joint, part, from, to, radii, stretch = [1, 1, 1]]: Piece): Capsule {
  return { joint: quadrupedJointNames.indexOf(joint), label: animalLabel(part), from, to, radii, stretch }
}

const trunk = /^(pelvis|spine)/
const leg = /Leg|Foot/
const head = /Head|Mouth|Ear/

/** What the shape coefficients do; SMAL's further ones do nothing here. 0 is the middle, -2..2 most animals. */
export const quadrupedShape: readonly ShapeCoefficient[] = [
  { name: 'size', length: () => 0.12, girth: () => 0.12 },
  { name: 'leg length', length: on(leg, 0.1) },
  { name: 'trunk girth', girth: on(trunk, 0.12) },
  { name: 'trunk length', length: on(trunk, 0.08) },
  { name: 'leg girth', girth: on(leg, 0.12) },
  { name: 'neck length', length: on(/Neck/, 0.15) },
  { name: 'head size', length: on(head, 0.1), girth: on(head, 0.1) },
  { name: 'tail length', length: on(/Tail/, 0.15) },
  { name: 'ear length', length: on(/Ear/, 0.25) },
]

/** SMAL's number of shape coefficients. */
const shapes = 41

const lines = [
  mirroredLines(gridLines([[0, 0.0135]], 0.15)),
  gridLines(
    [
      [-0.58, 0.0125],
      [-0.48, 0.022],
      [-0.18, 0.019],
      [0.1, 0.013],
    ],
    0.3,
  ),
  gridLines(
    [
      [-0.31, 0.0145],
      [0.04, 0.026],
      [0.4, 0.0145],
      [0.52, 0.02],
      [0.6, 0.014],
    ],
    0.81,
  ),
] as const

let grown: BodyData | undefined

/** The open quadruped, with SMAL's joints and shape coefficients (`quadrupedShape`). Made once. */
export function openQuadruped(): BodyData {
  grown ??= growBody({
    kind: 'smal',
    names: quadrupedJointNames,
    parents: quadrupedParents,
    joints: quadrupedRest,
    capsules: [...middle, ...left, ...left.map(mirrored)].map(capsuleOf),
    lines,
    coefficients: quadrupedShape,
    spare: shapes - quadrupedShape.length,
  })
  return grown
}
