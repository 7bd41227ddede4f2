// Colours with names, so that captions can tell them.

import type { Colour } from '../render/raster.js'
import type { Draws } from './draws.js'

export interface NamedColour {
  readonly name: string
  readonly colour: Colour
}

const named = (entries: Readonly<Record<string, Colour>>): readonly NamedColour[] =>
  Object.entries(entries).map(([name, colour]) => ({ name, colour }))

export const clothColours = named({
  red: [190, 38, 40],
  orange: [226, 122, 36],
  yellow: [228, 200, 60],
  green: [44, 140, 66],
  turquoise: [40, 160, 160],
  blue: [44, 84, 190],
  purple: [120, 52, 150],
  pink: [226, 120, 160],
  white: [232, 232, 228],
  grey: [124, 126, 130],
  black: [38, 38, 44],
  brown: [112, 74, 44],
  beige: [206, 184, 146],
})

export const skinColours = named({
  pale: [240, 208, 184],
  light: [222, 178, 146],
  tanned: [190, 138, 102],
  brown: [140, 94, 66],
  dark: [92, 60, 44],
})

export const hairColours = named({
  black: [32, 28, 28],
  brown: [84, 54, 34],
  red: [150, 66, 30],
  blond: [214, 176, 98],
  grey: [158, 156, 152],
})

export const furColours = named({
  black: [44, 42, 44],
  brown: [116, 76, 46],
  golden: [196, 146, 82],
  white: [226, 220, 208],
  grey: [132, 132, 134],
})

/** The same colour, a little different. */
export function nearly({ colour }: NamedColour, draws: Draws): Colour {
  const light = draws.between(-12, 12)
  return colour.map(value => Math.max(0, Math.min(255, value + light + draws.between(-8, 8)))) as unknown as Colour
}

/** A colour between two: `share` of the second. */
export function mixed(a: Colour, b: Colour, share: number): Colour {
  return [0, 1, 2].map(i => a[i] + share * (b[i] - a[i])) as unknown as Colour
}

/** Any colour of some lightness and little saturation, for grounds and skies. */
export function drawTint(draws: Draws, least: number, most: number, saturation: number): Colour {
  const light = draws.between(least, most)
  const hue = draws.between(0, 2 * Math.PI)
  return [0, 1, 2].map(i => {
    const wave = Math.cos(hue - (2 * Math.PI * i) / 3)
    return Math.max(0, Math.min(255, light * (1 + saturation * wave)))
  }) as unknown as Colour
}
