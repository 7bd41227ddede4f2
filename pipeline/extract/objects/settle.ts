// Vertices of a polygon moved until its inside is as much like a mask as single moves can make it.

import type { LabelMap } from '../../../models/svd/picture.js'
import { Generator } from '../../../tensor/index.js'
import { fillPolygon, polygonSpans, type Point } from '../../render/polygon.js'
import type { Box } from '../detection.js'

// Moves as shares of the longer side of the box, from far to near, and how often all vertices get their turn for each.
const reaches = [0.1, 0.06, 0.03, 0.015, 0.008]
const turns = 4
// A move must win so much of the mask's area: vertices do not wander for less.
const leastGain = 0.0003

// Where more than this share of what is inside or in the mask is in one of the two alone, vertices are shaken: moves are
// drawn at random, so many, ever shorter (deviations as shares of the longer side), and some that lose pixels are taken,
// ever fewer (losses that are usual, as shares of the area).
const mostApart = 0.1
const shakes = 5000
const [farthest, shortest] = [0.1, 0.006]
const [hottest, coldest] = [1e-3, 1e-6]
// What being away by the longest move costs against pixels won, as a share of the area: on straight sides vertices stay.
const awayCost = 2e-4

const directions = Array.from({ length: 8 }, (_, i): Point => {
  const turn = (i * Math.PI) / 4
  return [Math.cos(turn), Math.sin(turn)]
})

/**
 * The polygon with its vertices moved inside a box. Single moves that win pixels end where none does any more; for shapes
 * with limbs that is often not the best there is, so chance takes them farther (simulated annealing). Always the same.
 */
export function settlePolygon(polygon: readonly Point[], mask: LabelMap, box: Box): readonly Point[] {
  const settling = new Settling(polygon, mask, box)
  settling.shift()
  if (settling.apart() > mostApart) {
    settling.shake(new Generator(0))
    settling.shift()
  }
  return settling.corners
}

/** A polygon on its way, and which pixels it holds. */
class Settling {
  readonly corners: Point[]
  readonly #inside: Uint8Array
  readonly #area: number
  readonly #longer: number

  constructor(
    polygon: readonly Point[],
    private readonly mask: LabelMap,
    private readonly box: Box,
  ) {
    const { width, height, data } = mask
    this.corners = [...polygon]
    this.#inside = new Uint8Array(data.length)
    fillPolygon({ width, height, data: this.#inside }, polygon, 1)
    this.#area = data.reduce((sum, value) => sum + Number(value !== 0), 0)
    this.#longer = Math.max(box.right - box.left, box.bottom - box.top)
  }

  /** Pixels that would be on the right side, less those on the wrong one, if a region changed sides. */
  #gainOf(region: readonly Point[]): number {
    const { width, data } = this.mask
    let gain = 0
    polygonSpans(region, this.mask, (row, from, end) => {
      for (let pixel = row * width + from; pixel < row * width + end; pixel++)
        gain += (data[pixel] !== 0) === (this.#inside[pixel] !== 0) ? -1 : 1
    })
    return gain
  }

  #change(region: readonly Point[]): void {
    const { width } = this.mask
    polygonSpans(region, this.mask, (row, from, end) => {
      for (let pixel = row * width + from; pixel < row * width + end; pixel++) this.#inside[pixel] ^= 1
    })
  }

  /** What changes sides when a vertex moves: what lies between its old and new neighbouring sides. */
  #between(i: number, to: Point): Point[] {
    const { corners } = this
    return [corners.at(i - 1)!, corners[i], corners[(i + 1) % corners.length], to]
  }

  /** A vertex moved by shares of the longer side, no farther than to the edge of the box. */
  #moved([x, y]: Point, right: number, down: number): Point {
    const { box } = this
    return [
      Math.min(box.right, Math.max(box.left, x + right * this.#longer)),
      Math.min(box.bottom, Math.max(box.top, y + down * this.#longer)),
    ]
  }

  /** Pixels in one of polygon and mask alone, over those in either. */
  apart(): number {
    let [one, either] = [0, 0]
    this.mask.data.forEach((value, pixel) => {
      one += Number((value !== 0) !== (this.#inside[pixel] !== 0))
      either += Number(value !== 0 || this.#inside[pixel] !== 0)
    })
    return one / either
  }

  /** Each vertex in turn goes a little way in the direction that wins most. */
  shift(): void {
    const { corners } = this
    for (const reach of reaches)
      for (let turn = 0, moved = true; turn < turns && moved; turn++) {
        moved = false
        for (const [i, corner] of corners.entries()) {
          let best = { gain: leastGain * this.#area, to: corner }
          for (const [dx, dy] of directions) {
            const to = this.#moved(corner, reach * dx, reach * dy)
            const gain = this.#gainOf(this.#between(i, to))
            if (gain > best.gain) best = { gain, to }
          }
          if (best.to === corner) continue
          this.#change(this.#between(i, best.to))
          corners[i] = best.to
          moved = true
        }
      }
  }

  /** Moves drawn at random, far and careless at first. */
  shake(random: Generator): void {
    const { corners } = this
    const start = [...corners]
    const [chosen, chance, moves] = [random.rand(shakes), random.rand(shakes), random.randn(2 * shakes)]
    const away = ([x, y]: Point, i: number) =>
      awayCost * this.#area * (((x - start[i][0]) ** 2 + (y - start[i][1]) ** 2) / (farthest * this.#longer) ** 2)
    for (let n = 0; n < shakes; n++) {
      const i = Math.floor(chosen[n] * corners.length)
      const reach = farthest * (shortest / farthest) ** (n / shakes)
      const usual = this.#area * hottest * (coldest / hottest) ** (n / shakes)
      const to = this.#moved(corners[i], reach * moves[2 * n], reach * moves[2 * n + 1])
      const region = this.#between(i, to)
      const gain = this.#gainOf(region) - away(to, i) + away(corners[i], i)
      if (gain < 0 && chance[n] >= Math.exp(gain / usual)) continue
      this.#change(region)
      corners[i] = to
    }
  }
}
