// What surrounds those who act: ground, sky and light.

import type { Vector } from '../../models/body/quaternion.js'
import type { Camera } from '../render/camera.js'
import type { Colour } from '../render/raster.js'
import type { Draws } from './draws.js'
import { drawTint, mixed } from './palette.js'

export const groundKinds = ['plain', 'checker', 'stripes', 'patches'] as const
export type GroundKind = (typeof groundKinds)[number]

export interface Scenery {
  readonly ground: GroundKind
  readonly first: Colour
  readonly second: Colour
  /** Metres of a square or stripe, and how the pattern is turned, radians. */
  readonly square: number
  readonly turn: number
  readonly zenith: Colour
  readonly horizon: Colour
  /** Metres at which a third of the ground is still seen through the haze. */
  readonly haze: number
  /** Where light comes from, 1 long, and how much of it is everywhere. */
  readonly light: Vector
  readonly ambient: number
  /** How much of the ground's light is gone in a shadow. */
  readonly shadow: number
}

export function drawScenery(draws: Draws): Scenery {
  const first = drawTint(draws, 70, 200, draws.between(0, 0.35))
  const contrast = draws.between(0.12, 0.5)
  const second = mixed(first, draws.chance(0.5) ? [255, 255, 255] : [0, 0, 0], contrast)
  const zenith = drawTint(draws, 110, 220, draws.between(0, 0.45))
  const [height, side] = [draws.between(0.6, 1.25), draws.between(-Math.PI, Math.PI)]
  return {
    ground: draws.pick(groundKinds),
    first,
    second,
    square: draws.between(0.35, 1),
    turn: draws.between(0, Math.PI),
    zenith,
    horizon: mixed(zenith, [236, 236, 232], draws.between(0.2, 0.8)),
    haze: draws.between(10, 40),
    light: [Math.cos(height) * Math.sin(side), Math.sin(height), Math.cos(height) * Math.cos(side)],
    ambient: draws.between(0.35, 0.55),
    shadow: draws.between(0.35, 0.6),
  }
}

/** What is behind everything, at `finer` samples a pixel's side. */
export interface Backdrop {
  /** [height x width x 3], 0..255. */
  readonly colours: Uint8Array
  /** [height x width]: 1 where there is ground. */
  readonly ground: Uint8Array
}

/** Draws ground and sky once for a camera that stands still; the samples of pixel p are finer p .. finer p + finer - 1. */
export function drawBackdrop(scenery: Scenery, camera: Camera, width: number, height: number, finer: number): Backdrop {
  const [w, h] = [finer * width, finer * height]
  const colours = new Uint8Array(3 * w * h)
  const ground = new Uint8Array(w * h)
  const { position, axes, focal, centre } = camera
  const [right, down, forward] = axes
  const middle = (finer - 1) / 2
  for (let y = 0; y < h; y++) {
    const b = ((y - middle) / finer - centre[1]) / focal
    for (let x = 0; x < w; x++) {
      const a = ((x - middle) / finer - centre[0]) / focal
      const rx = forward[0] + a * right[0] + b * down[0]
      const ry = forward[1] + a * right[1] + b * down[1]
      const rz = forward[2] + a * right[2] + b * down[2]
      const at = y * w + x
      if (ry < -1e-4) {
        const far = -position[1] / ry
        ground[at] = 1
        const share = patternAt(scenery, position[0] + far * rx, position[2] + far * rz, far / focal)
        const seen = Math.exp(-far / scenery.haze)
        for (let i = 0; i < 3; i++) {
          const plain = scenery.first[i] + share * (scenery.second[i] - scenery.first[i])
          colours[3 * at + i] = scenery.horizon[i] + seen * (plain - scenery.horizon[i])
        }
      } else {
        const up = Math.min(1, (2.2 * ry) / Math.sqrt(rx * rx + ry * ry + rz * rz))
        for (let i = 0; i < 3; i++)
          colours[3 * at + i] = scenery.horizon[i] + up * (scenery.zenith[i] - scenery.horizon[i])
      }
    }
  }
  return { colours, ground }
}

/** How much of the ground's second colour is at a place; patterns finer than a pixel, `size` metres there, run together. */
function patternAt({ ground, square, turn }: Scenery, x: number, z: number, size: number): number {
  const c = Math.cos(turn)
  const s = Math.sin(turn)
  const strength = Math.min(1, Math.max(0, (0.5 * square) / size - 0.5) / 2)
  return 0.5 + strength * (shareOf(ground, (c * x - s * z) / square, (s * x + c * z) / square) - 0.5)
}

/** How much of the second colour a pattern has at a place: 0..1. */
function shareOf(ground: GroundKind, u: number, v: number): number {
  const odd = (n: number) => ((n % 2) + 2) % 2
  switch (ground) {
    case 'plain':
      return 0.5
    case 'checker':
      return odd(Math.floor(u) + Math.floor(v))
    case 'stripes':
      return odd(Math.floor(u))
    case 'patches':
      return 0.5 + 0.25 * (Math.sin(2.1 * u + 1.3 * Math.sin(1.7 * v)) + Math.sin(2.6 * v + 1.1 * Math.sin(2.3 * u)))
  }
}
