// Part labels of bodies, as part masks hold them: 0 is background, 1 to 24 are parts of people, 25 to 40 of animals.

import type { BodyData, BodyKind } from './body-data.js'
import { quadrupedJointNames } from './quadruped-skeleton.js'
import { jointNames } from './skeleton.js'

/** Parts of people; the number of a part is its place here. */
export const humanParts = [
  'background',
  'pelvis',
  'abdomen',
  'chest',
  'neck',
  'head',
  'face',
  ...['shoulder', 'upper arm', 'forearm', 'hand', 'fingers', 'thigh', 'shin', 'foot', 'toes'].flatMap(part => [
    `left ${part}`,
    `right ${part}`,
  ]),
]

/** The label of an animal's first part. */
export const firstAnimalLabel = 25

/** Parts of animals; the number of a part is its place here plus `firstAnimalLabel`. */
export const animalParts = [
  'pelvis',
  'trunk',
  'chest',
  'neck',
  'head',
  'muzzle',
  ...['upper leg', 'lower leg'].flatMap(part =>
    ['front', 'hind'].flatMap(end => [`left ${end} ${part}`, `right ${end} ${part}`]),
  ),
  'tail',
  'ears',
]

/** The label of a part of people, which must be one of `humanParts`. */
export function humanLabel(part: string): number {
  return humanParts.indexOf(part)
}

/** The label of a part of animals, which must be one of `animalParts`. */
export function animalLabel(part: string): number {
  return firstAnimalLabel + animalParts.indexOf(part)
}

const middle: Readonly<Record<string, string>> = {
  pelvis: 'pelvis',
  spine1: 'abdomen',
  spine2: 'abdomen',
  spine3: 'chest',
  neck: 'neck',
  head: 'head',
  jaw: 'face',
  left_eye_smplhf: 'face',
  right_eye_smplhf: 'face',
}
const sides: Readonly<Record<string, string>> = {
  collar: 'shoulder',
  shoulder: 'upper arm',
  elbow: 'forearm',
  wrist: 'hand',
  hip: 'thigh',
  knee: 'shin',
  ankle: 'foot',
  foot: 'toes',
}

function partOfHumanJoint(name: string): string {
  if (middle[name]) return middle[name]
  const [side, joint] = name.split('_')
  return `${side} ${sides[joint] ?? 'fingers'}`
}

const animalJoints: Readonly<Record<string, string>> = {
  pelvis: 'pelvis',
  pelvis0: 'pelvis',
  spine: 'trunk',
  spine0: 'trunk',
  spine1: 'trunk',
  spine2: 'chest',
  spine3: 'chest',
  Neck: 'neck',
  Head: 'head',
  Mouth: 'muzzle',
  LEar: 'ears',
  REar: 'ears',
}

function partOfAnimalJoint(name: string): string {
  if (animalJoints[name]) return animalJoints[name]
  if (name.startsWith('Tail')) return 'tail'
  const side = name.startsWith('L') ? 'left' : 'right'
  const part = /Leg(Back)?[12]/.test(name) ? 'upper leg' : 'lower leg'
  return `${side} ${name.includes('Back') ? 'hind' : 'front'} ${part}`
}

/** The part that goes with each joint. */
export function partsOfJoints(kind: BodyKind): string[] {
  if (kind === 'smal') return quadrupedJointNames.map(partOfAnimalJoint)
  if (kind === 'smplx') return jointNames.map(partOfHumanJoint)
  return [...jointNames.slice(0, 22), 'left_hand', 'right_hand'].map(name =>
    name.endsWith('hand') ? `${name.split('_')[0]} fingers` : partOfHumanJoint(name),
  )
}

/** Labels of vertices by the joint that has most of each: for models that come without parts. */
export function labelsOfWeights({
  kind,
  weights,
  parents,
}: Pick<BodyData, 'kind' | 'weights' | 'parents'>): Uint8Array {
  const labels = partsOfJoints(kind).map(kind === 'smal' ? animalLabel : humanLabel)
  const count = parents.length
  return Uint8Array.from({ length: weights.length / count }, (_, vertex) => {
    const row = weights.subarray(vertex * count, (vertex + 1) * count)
    return labels[row.indexOf(row.reduce((most, weight) => Math.max(most, weight)))]
  })
}

/** The label of each triangle, faces [F x 3]: that of most of its corners, or of the first where all differ. */
export function labelsOfFaces({ faces, labels }: Pick<BodyData, 'faces' | 'labels'>): Uint8Array {
  return Uint8Array.from({ length: faces.length / 3 }, (_, face) => {
    const [a, b, c] = [0, 1, 2].map(i => labels[faces[3 * face + i]])
    return b === c ? b : a
  })
}
