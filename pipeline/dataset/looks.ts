// What people wear and what animals and things look like: the colour of every vertex, and how a caption calls it.

import type { BodyData } from '../../models/body/body-data.js'
import { animalParts, firstAnimalLabel, humanParts } from '../../models/body/labels.js'
import type { Colour } from '../render/raster.js'
import { article } from './doing.js'
import type { Draws } from './draws.js'
import { clothColours, furColours, hairColours, mixed, nearly, skinColours } from './palette.js'

/** Clothes of a person; lengths are shares of the limb that they cover, 0..2: 1 ends at the elbow or knee. */
export interface PersonLook {
  readonly skin: Colour
  readonly hair: Colour
  readonly top: Colour
  /** Stripes of the top, if it has some. */
  readonly stripe?: Colour
  readonly legs: Colour
  readonly shoes: Colour
  readonly sleeve: number
  readonly legLength: number
  /** Whether the hair covers the neck, and where the top ends, metres over the pelvis. */
  readonly longHair: boolean
  readonly hem: number
}

export interface AnimalLook {
  readonly fur: Colour
  readonly spots: Colour
  readonly belly: Colour
  /** Spots a metre. */
  readonly density: number
}

/** Two colours in turns. */
export interface ObjectLook {
  readonly first: Colour
  readonly second: Colour
}

/** A person's clothes, and the words for them. */
export function drawPersonLook(draws: Draws): { look: PersonLook; words: string } {
  const [top, legs, shoes] = [draws.pick(clothColours), draws.pick(clothColours), draws.pick(clothColours)]
  const sleeve = draws.pick([0.25, 0.55, 2, 2])
  const legLength = draws.pick([0.6, 0.9, 2, 2, 2])
  const stripe = draws.chance(0.2) ? draws.pick(clothColours) : undefined
  const look: PersonLook = {
    skin: nearly(draws.pick(skinColours), draws),
    hair: nearly(draws.pick(hairColours), draws),
    top: nearly(top, draws),
    stripe: stripe && nearly(stripe, draws),
    legs: nearly(legs, draws),
    shoes: nearly(shoes, draws),
    sleeve,
    legLength,
    longHair: draws.chance(0.4),
    hem: draws.between(-0.06, 0.09),
  }
  const shirt = sleeve < 0.5 ? 'top' : sleeve < 1 ? 't-shirt' : 'shirt'
  const words = `${article(top.name)} ${stripe ? 'striped ' : ''}${shirt} and ${legs.name} ${legLength < 1 ? 'shorts' : 'trousers'}`
  return { look, words }
}

export function drawAnimalLook(draws: Draws): { look: AnimalLook; words: string } {
  const fur = draws.pick(furColours)
  const spotted = draws.chance(0.35)
  const own = nearly(fur, draws)
  const look = {
    fur: own,
    spots: spotted ? nearly(draws.pick(furColours), draws) : own,
    belly: mixed(own, [236, 226, 210], draws.between(0, 0.6)),
    density: draws.between(6, 14),
  }
  return { look, words: `${spotted ? 'spotted ' : ''}${fur.name}` }
}

export function drawObjectLook(draws: Draws): { look: ObjectLook; words: string } {
  const first = draws.pick(clothColours)
  const own = nearly(first, draws)
  const second = draws.chance(0.6) ? nearly(draws.pick(clothColours), draws) : mixed(own, [255, 255, 255], 0.25)
  return { look: { first: own, second }, words: first.name }
}

// Where limbs end in the open body's rest pose, metres from the pelvis: sleeves go along x, trousers along y.
const shoulder = 0.15
const [elbow, wrist] = [0.43, 0.68]
const hip = -0.085
const [knee, ankle] = [-0.475, -0.885]

/** How far along a limb of two bones a place is: 1 at the joint between them. */
function along(at: number, start: number, middle: number, end: number): number {
  const first = (at - start) / (middle - start)
  return first < 1 ? first : 1 + (at - middle) / (end - middle)
}

const parts = humanParts.map(part => part.replace(/^(left|right) /, ''))

/** The colour of each vertex of the open body, [V x 3]. */
export function dress({ template, labels }: BodyData, look: PersonLook): Uint8Array {
  const { skin, hair, top, stripe, legs, shoes, sleeve, legLength, longHair, hem } = look
  const colours = new Uint8Array(template.length)
  labels.forEach((label, vertex) => {
    const [x, y, z] = [Math.abs(template[3 * vertex]), template[3 * vertex + 1], template[3 * vertex + 2]]
    const cloth = stripe && Math.floor(y / 0.05) % 2 === 0 ? stripe : top
    const arm = () => (along(x, shoulder, elbow, wrist) <= sleeve ? cloth : skin)
    const leg = () => (along(y, hip, knee, ankle) <= legLength ? legs : skin)
    const colourOf: Readonly<Record<string, () => Colour>> = {
      pelvis: () => (y > hem ? cloth : legs),
      abdomen: () => (y > hem ? cloth : legs),
      chest: () => cloth,
      neck: () => (longHair && z < 0 ? hair : skin),
      head: () => hair,
      face: () => (y > 0.735 ? hair : skin),
      shoulder: () => (x < 0.09 && y > 0.475 ? skin : cloth),
      'upper arm': arm,
      forearm: arm,
      thigh: leg,
      shin: leg,
      foot: () => shoes,
      toes: () => shoes,
    }
    colours.set((colourOf[parts[label]] ?? (() => skin))(), 3 * vertex)
  })
  return colours
}

/** The colour of each vertex of the open quadruped, [V x 3]. */
export function cover({ template, labels }: BodyData, { fur, spots, belly, density }: AnimalLook): Uint8Array {
  const colours = new Uint8Array(template.length)
  labels.forEach((label, vertex) => {
    const [x, y, z] = template.subarray(3 * vertex, 3 * vertex + 3)
    const part = animalParts[label - firstAnimalLabel]
    const wave = Math.sin(density * 3 * z) + Math.sin(density * 4.1 * y + 1) + Math.sin(density * 3.3 * x + 2)
    const isLow = y < -0.1 && /pelvis|trunk|chest/.test(part)
    const isTip = part === 'muzzle' && z > 0.76
    colours.set(isTip ? [30, 26, 26] : isLow ? belly : wave > 0.9 ? spots : fur, 3 * vertex)
  })
  return colours
}
