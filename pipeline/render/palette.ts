// The colours of part labels, the same everywhere. After Okabe and Ito's palette for the colour-blind: left arms are
// blue and right ones orange, left legs green and right ones purple, the middle grey and yellow, and neighbours along a
// limb differ in lightness.

import { animalParts, firstAnimalLabel, humanParts } from '../../models/body/labels.js'
import { labelCount } from '../../models/svd/picture.js'
import { firstObjectLabel } from '../scene/scene.js'
import type { Colour } from './raster.js'

const limbs = {
  leftArm: [0x0072b2, 0xa4d8f7, 0x004a80, 0x56b4e9, 0xd3eefc],
  rightArm: [0xd55e00, 0xfdc57b, 0x8f3f00, 0xe69f00, 0xffe3bd],
  leftLeg: [0x009e73, 0x8fdcc3, 0x00634a, 0x4cc4a0],
  rightLeg: [0xb0589a, 0xf6cfe6, 0x77276a, 0xcc79a7],
} as const

const middle: Readonly<Record<string, number>> = {
  pelvis: 0x6b6b70,
  abdomen: 0xc4c4c8,
  chest: 0x46464c,
  neck: 0xf0e442,
  head: 0x8a7f10,
  face: 0xfff9b8,
}

const animalColours: Readonly<Record<string, number>> = {
  pelvis: 0x75757a,
  trunk: 0xd0d0d4,
  chest: 0x55555c,
  neck: 0xe5d92e,
  head: 0x7d7204,
  muzzle: 0xf7f0a0,
  'left front upper leg': 0x0a66a0,
  'left front lower leg': 0x8fcdf0,
  'right front upper leg': 0xc25500,
  'right front lower leg': 0xf5b760,
  'left hind upper leg': 0x048a66,
  'left hind lower leg': 0x88d8bf,
  'right hind upper leg': 0xa04c8b,
  'right hind lower leg': 0xe6aed0,
  tail: 0x35260a,
  ears: 0xb09a30,
}

// Objects: hues far apart, first strong, then light, then dark.
const objectColours = [
  0xe8000b, 0x00b7eb, 0xfff000, 0x5b2c9f, 0x00c853, 0xff7ab8, 0x7a4a12, 0x1a1aff, 0xffa8a8, 0x9cf0ff, 0xfffac0,
  0xc9b3f0, 0xb0f2c8, 0xffd6ea, 0xd9b98f, 0xaab4ff, 0x7f0006, 0x005f7a, 0xa69c00, 0x2e1250, 0x00662b, 0x8c2f5c,
  0x101070,
]

function humanColour(part: string): number {
  const [side, ...name] = part.split(' ')
  const arm = ['shoulder', 'upper arm', 'forearm', 'hand', 'fingers'].indexOf(name.join(' '))
  if (arm >= 0) return limbs[side === 'left' ? 'leftArm' : 'rightArm'][arm]
  const leg = ['thigh', 'shin', 'foot', 'toes'].indexOf(name.join(' '))
  if (leg >= 0) return limbs[side === 'left' ? 'leftLeg' : 'rightLeg'][leg]
  return middle[part]
}

const colours: readonly Colour[] = [
  0,
  ...humanParts.slice(1).map(humanColour),
  ...animalParts.map(part => animalColours[part]),
  ...objectColours,
].map(value => [value >> 16, (value >> 8) & 255, value & 255])

/** The colour of a part label of 1..63; black for the background. */
export function labelColour(label: number): Colour {
  return colours[label]
}

/** What a label is called: `left hand`, `animal tail`, `object 41`. */
export function labelName(label: number): string {
  if (label < firstAnimalLabel) return humanParts[label]
  if (label < firstObjectLabel) return `animal ${animalParts[label - firstAnimalLabel]}`
  return `object ${label}`
}

/** All label colours, one after the other, [64 x 3]. */
export const labelColours = Uint8Array.from({ length: 3 * labelCount }, (_, i) => colours[Math.floor(i / 3)][i % 3])
