// Things with a body: balls, boxes and drums that move as an object's 21 points do, and the 21 points of what a camera
// sees of them.

import { vectorAt, type Vector } from '../../models/body/quaternion.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { objectPoints } from '../../models/pppm/kinds.js'
import { normalOf, project, unproject, type Camera } from '../render/camera.js'
import type { Mesh } from '../render/raster.js'

export const solidKinds = ['ball', 'box', 'drum'] as const
export type SolidKind = (typeof solidKinds)[number]

/** A unit mesh: in -1..1 along each of its axes; and which of two colours each face has. */
interface UnitMesh extends Mesh {
  readonly vertices: Float32Array
  readonly faces: Int32Array
  readonly second: readonly boolean[]
}

/** A grid of rows x columns quads over a closed surface, counter-clockwise from outside. */
function gridMesh(
  rows: number,
  columns: number,
  at: (row: number, column: number) => Vector,
  isSecond: (row: number, column: number) => boolean,
): UnitMesh {
  const vertices: number[] = []
  const faces: number[] = []
  const second: boolean[] = []
  for (let row = 0; row <= rows; row++)
    for (let column = 0; column < columns; column++) vertices.push(...at(row, column))
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const next = (column + 1) % columns
      const [a, b] = [row * columns + column, row * columns + next]
      faces.push(a, b, b + columns, a, b + columns, a + columns)
      second.push(isSecond(row, column), isSecond(row, column))
    }
  return { vertices: Float32Array.from(vertices), faces: Int32Array.from(faces), second }
}

const [sphereRows, sphereColumns, drumColumns] = [10, 18, 20]

/** Round about the third axis. */
function round(turn: number, radius: number, height: number): Vector {
  return [radius * Math.cos(turn), radius * Math.sin(turn), height]
}

const meshes: Readonly<Record<SolidKind, UnitMesh>> = {
  ball: gridMesh(
    sphereRows,
    sphereColumns,
    (row, column) => {
      const up = Math.PI * (row / sphereRows - 0.5)
      return round((2 * Math.PI * column) / sphereColumns, Math.cos(up), Math.sin(up))
    },
    (_, column) => Math.floor(column / 3) % 2 === 1,
  ),
  // Four sides, then lids of no height in the middle of which all columns meet.
  box: gridMesh(
    3,
    4,
    (row, column) => {
      const radius = row === 0 || row === 3 ? 0 : Math.SQRT2
      return round(Math.PI * (0.25 + column / 2), radius, row < 2 ? -1 : 1)
    },
    (row, column) => row === 1 && column % 2 === 1,
  ),
  drum: gridMesh(
    3,
    drumColumns,
    (row, column) => {
      const radius = row === 0 || row === 3 ? 0 : 1
      return round((2 * Math.PI * column) / drumColumns, radius, row < 2 ? -1 : 1)
    },
    (row, column) => row === 1 || Math.floor(column / 5) % 2 === 1,
  ),
}

/** The faces of a kind of solid, and which of two colours each has. */
export function solidFaces(kind: SolidKind): { faces: Int32Array; second: readonly boolean[] } {
  return meshes[kind]
}

/** Whether an object's contour is as wide as it is high, as a ball's is. */
export function isRound({ numbers }: EntityMotion): boolean {
  const [centre, right, top] = [vectorAt(numbers, 4), vectorAt(numbers, 5), vectorAt(numbers, 9)]
  const [a, b] = [lengthOf(minus(right, centre)), lengthOf(minus(top, centre))]
  return Math.abs(a - b) < 0.1 * b
}

/**
 * Vertices [V x 3] of a solid in a frame of an object's motion: its first two axes are those of the object's contour,
 * the third, across to them, is `breadth` times as long as the second.
 */
export function solidVertices(
  kind: SolidKind,
  { numbers }: EntityMotion,
  frame: number,
  breadth: number,
): Float32Array {
  const points = numbers.subarray(frame * numbersOf('object'))
  const centre = vectorAt(points, 4)
  const [a, b] = [minus(vectorAt(points, 5), centre), minus(vectorAt(points, 9), centre)]
  const across = normalOf(a, b)
  const half = breadth * lengthOf(b)
  return meshes[kind].vertices.map((_, i, unit) => {
    const axis = i % 3
    const [p, q, r] = [unit[i - axis], unit[i - axis + 1], unit[i - axis + 2]]
    return centre[axis] + p * a[axis] + q * b[axis] + r * half * across[axis]
  })
}

/**
 * The 21 points, metres in the world, of what a camera sees of a convex solid: its silhouette from the centre outwards
 * in 16 directions, beginning at the right and going up, at the depth of the centre; before them the corners of its
 * box and the centre.
 */
export function silhouette(vertices: Float32Array, camera: Camera): number[] {
  const count = vertices.length / 3
  const seen = Array.from({ length: count }, (_, i) => project(camera, vectorAt(vertices, i)))
  const [left, right, top, bottom] = [
    Math.min(...seen.map(([x]) => x)),
    Math.max(...seen.map(([x]) => x)),
    Math.min(...seen.map(([, y]) => y)),
    Math.max(...seen.map(([, y]) => y)),
  ]
  const depth = seen.reduce((sum, [, , z]) => sum + z, 0) / count
  const centre = [(left + right) / 2, (top + bottom) / 2] as const
  const outline = hullOf(seen)
  const rays = objectPoints - 5
  const contour = Array.from({ length: rays }, (_, i) => {
    const turn = (2 * Math.PI * i) / rays
    const far = reach(outline, centre, Math.cos(turn), -Math.sin(turn))
    return [centre[0] + far * Math.cos(turn), centre[1] - far * Math.sin(turn)] as const
  })
  const corners = [
    [left, bottom],
    [right, bottom],
    [right, top],
    [left, top],
  ] as const
  return [...corners, centre, ...contour].flatMap(([x, y]) => unproject(camera, [x, y, depth]))
}

/** The points that no others surround in the picture, in turn (Andrew's monotone chain). */
function hullOf(points: readonly Vector[]): Vector[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const half = (list: readonly Vector[]) => {
    const chain: Vector[] = []
    for (const point of list) {
      const isInside = ([a, b]: readonly Vector[]) =>
        (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]) <= 0
      while (chain.length > 1 && isInside(chain.slice(-2))) chain.pop()
      chain.push(point)
    }
    return chain.slice(0, -1)
  }
  return [...half(sorted), ...half(sorted.toReversed())]
}

/** How far a ray from inside goes before it leaves the hull of some points: no edge between two of them is beyond. */
function reach(points: readonly Vector[], centre: readonly [number, number], dx: number, dy: number): number {
  let far = 0
  const rel = points.map(([x, y]) => ({
    along: (x - centre[0]) * dx + (y - centre[1]) * dy,
    side: (y - centre[1]) * dx - (x - centre[0]) * dy,
  }))
  for (const a of rel)
    for (const b of rel) {
      if (a.side > 0 || b.side < 0) continue
      const share = a.side === b.side ? 0 : a.side / (a.side - b.side)
      far = Math.max(far, a.along + share * (b.along - a.along))
    }
  return far
}

function minus(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

function lengthOf([x, y, z]: Vector): number {
  return Math.sqrt(x * x + y * y + z * z)
}
