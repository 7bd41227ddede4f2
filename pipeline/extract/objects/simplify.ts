// Polygons of few vertices that are like an outline.

import type { Point } from '../../render/polygon.js'
import { signedArea } from './outline.js'

// Places along the outline where vertices may be, and the longest way from one vertex to the next.
const places = 128
const longest = places / 2

// What a vertex pays for its distance from where it is awaited, squared, against area. It decides between polygons that
// are about as good, so that vertices stay where they were in the frame before.
const pull = 0.01

// The first vertex is looked for among so many places on either side of the one nearest to where it is awaited.
const startRange = 12

/**
 * The polygon with vertices on an outline that leaves the least area between the two, found by dynamic programming. Its
 * vertices begin near the first of those awaited and go round in the same way.
 *
 * @param outline closed
 * @param awaited [V] where vertices are preferred: as many as the polygon is to have, 3 to 64
 */
export function simplifyOutline(outline: readonly Point[], awaited: readonly Point[]): Point[] {
  const isAlike = signedArea(outline) > 0 === signedArea(awaited) > 0
  const dense = evenly(isAlike ? outline : outline.toReversed())
  const gaps = gapAreas(dense)
  const pulls = awaited.map(([x, y]) => dense.map(([px, py]) => pull * ((px - x) ** 2 + (py - y) ** 2)))
  const nearest = pulls[0].indexOf(Math.min(...pulls[0]))
  let best = bestFrom(nearest, gaps, pulls)
  for (let shift = 1; shift <= startRange; shift++)
    for (const start of [nearest - shift, nearest + shift]) {
      const found = bestFrom((start + places) % places, gaps, pulls)
      if (found.cost < best.cost) best = found
    }
  return best.vertices.map(place => dense[place])
}

/** Points at even distances along a closed line. */
function evenly(line: readonly Point[]): Point[] {
  const ends = line.map((_, i) => line[(i + 1) % line.length])
  const lengths = line.map(([x, y], i) => Math.hypot(ends[i][0] - x, ends[i][1] - y))
  const step = lengths.reduce((sum, length) => sum + length, 0) / places
  let [side, passed] = [0, 0]
  return Array.from({ length: places }, (_, place): Point => {
    while (side < line.length - 1 && passed + lengths[side] < place * step) passed += lengths[side++]
    const share = Math.min(1, (place * step - passed) / (lengths[side] || 1))
    const [[ax, ay], [bx, by]] = [line[side], ends[side]]
    return [ax + share * (bx - ax), ay + share * (by - ay)]
  })
}

/** [places x longest + 1]: the area between the outline from a place on and the straight way, by places passed. */
function gapAreas(dense: readonly Point[]): Float64Array {
  const out = new Float64Array(places * (longest + 1))
  for (let from = 0; from < places; from++)
    for (let count = 2; count <= longest; count++) {
      const [ax, ay] = dense[from]
      const [bx, by] = dense[(from + count) % places]
      const length = Math.hypot(bx - ax, by - ay)
      // A way that comes back to where it began has no direction; then any will do.
      const [dx, dy] = length > 1e-9 ? [(bx - ax) / length, (by - ay) / length] : [1, 0]
      let [sum, along, away] = [0, 0, 0]
      for (let i = 1; i <= count; i++) {
        const [x, y] = dense[(from + i) % places]
        const [nextAlong, nextAway] = [(x - ax) * dx + (y - ay) * dy, (y - ay) * dx - (x - ax) * dy]
        sum += Math.abs(((away + nextAway) / 2) * (nextAlong - along))
        along = nextAlong
        away = nextAway
      }
      out[from * (longest + 1) + count] = sum
    }
  return out
}

/** The best polygon whose first vertex is at a place. */
function bestFrom(
  start: number,
  gaps: Float64Array,
  pulls: readonly (readonly number[])[],
): { cost: number; vertices: number[] } {
  const count = pulls.length
  // Per vertex and places passed since the start: the least cost, and the places passed at the vertex before.
  const costs = new Float64Array((count + 1) * (places + 1)).fill(Infinity)
  const before = new Int16Array(costs.length)
  costs[0] = pulls[0][start]
  for (let vertex = 1; vertex <= count; vertex++) {
    const [row, last] = [vertex * (places + 1), (vertex - 1) * (places + 1)]
    // After the last vertex comes the first again.
    for (let passed = vertex === count ? places : vertex; passed <= places; passed++) {
      for (let from = Math.max(vertex - 1, passed - longest); from < passed; from++) {
        const cost = costs[last + from] + gaps[((start + from) % places) * (longest + 1) + passed - from]
        if (cost >= costs[row + passed]) continue
        costs[row + passed] = cost
        before[row + passed] = from
      }
      if (vertex < count) costs[row + passed] += pulls[vertex][(start + passed) % places]
    }
  }
  const vertices: number[] = []
  for (let [vertex, passed] = [count, places]; vertex > 0; vertex--) {
    passed = before[vertex * (places + 1) + passed]
    vertices.unshift((start + passed) % places)
  }
  return { cost: costs[count * (places + 1) + places], vertices }
}
