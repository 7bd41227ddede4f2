// Small letters for legends, five dots wide and seven high.

import type { Picture } from '../media/picture.js'
import type { Colour } from './raster.js'

// A byte for each column from the left, its lowest bit on top.
// prettier-ignore
const dots: Readonly<Record<string, string>> = {
  a: '2054545478', b: '7f48444438', c: '3844444420', d: '384444487f', e: '3854545418', f: '087e090102',
  g: '0c5252523e', h: '7f08040478', i: '00447d4000', j: '2040443d00', k: '7f10284400', l: '00417f4000',
  m: '7c04180478', n: '7c08040478', o: '3844444438', p: '7c14141408', q: '081414187c', r: '7c08040408',
  s: '4854545420', t: '043f444020', u: '3c4040207c', v: '1c2040201c', w: '3c4030403c', x: '4428102844',
  y: '0c5050503c', z: '4464544c44', 0: '3e5149453e', 1: '00427f4000', 2: '4261514946', 3: '2141454b31',
  4: '1814127f10', 5: '2745454539', 6: '3c4a494930', 7: '0171090503', 8: '3649494936', 9: '064949291e',
  '-': '0808080808',
}

/** Pixels from one letter to the next, and its height, for dots of a pixel. */
export const letterSize = { width: 6, height: 7 } as const

/** Writes a text with its upper left corner at a pixel, a dot `size` pixels wide. What has no letter is left blank. */
export function writeText(
  { width, height, data }: Picture,
  text: string,
  [left, top]: readonly [number, number],
  colour: Colour,
  size: number,
): void {
  ;[...text.toLowerCase()].forEach((letter, place) => {
    const columns = Buffer.from(dots[letter] ?? '', 'hex')
    columns.forEach((bits, column) => {
      for (let i = 0; i < letterSize.height * size * size; i++) {
        const [row, across] = [Math.floor(i / size), i % size]
        if (!((bits >> Math.floor(row / size)) & 1)) continue
        const [x, y] = [left + (place * letterSize.width + column) * size + across, top + row]
        if (x >= 0 && x < width && y >= 0 && y < height) data.set(colour, 3 * (y * width + x))
      }
    })
  })
}
