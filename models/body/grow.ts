// An open body out of its capsules: one closed mesh, what each vertex clings to, and how shape coefficients move it.

import type { BodyData, BodyKind } from './body-data.js'
import { boxOf, distanceTo, grip, nearestOnLine, pull, type Capsule } from './flesh.js'
import type { Vector } from './quaternion.js'
import { surfaceNets, type GridLines } from './surface-nets.js'

/** What a coefficient of 1 does to a body. */
export interface ShapeCoefficient {
  readonly name: string
  /** Bones that begin at a joint, and what surrounds them, become so much longer: 0.1 is a tenth. */
  readonly length?: (joint: string) => number
  /** What surrounds a joint's bones becomes so much thicker. */
  readonly girth?: (joint: string) => number
  /** A joint is moved, with all that hangs on it, metres. */
  readonly shift?: (joint: string) => Vector | undefined
}

/** How an open body is built. */
export interface BodyPlan {
  readonly kind: BodyKind
  readonly names: readonly string[]
  readonly parents: readonly number[]
  /** [J x 3] */
  readonly joints: Float32Array
  readonly capsules: readonly Capsule[]
  readonly lines: GridLines
  readonly coefficients: readonly ShapeCoefficient[]
}

/** Where nothing pulls, the field ends here instead of at infinity. */
const faintest = 1e-4

/** Minus the logarithm of all that pulls: below 0 inside. Capsules that meet flow into one another. */
function fieldOf(capsules: readonly Capsule[], [xs, ys, zs]: GridLines): Float32Array {
  const total = new Float32Array(xs.length * ys.length * zs.length)
  for (const capsule of capsules) {
    const { low, high } = boxOf(capsule)
    const [spanX, spanY, spanZ] = [xs, ys, zs].map((lines, axis) => ({
      first: lines.findIndex(place => place >= low[axis]),
      end: lines.length - lines.toReversed().findIndex(place => place <= high[axis]),
    }))
    for (let i = spanX.first; i < spanX.end; i++)
      for (let j = spanY.first; j < spanY.end; j++)
        for (let k = spanZ.first; k < spanZ.end; k++)
          total[(i * ys.length + j) * zs.length + k] += pull(capsule, distanceTo(capsule, xs[i], ys[j], zs[k]))
  }
  return total.map(value => -Math.log(Math.max(value, faintest)))
}

/** A capsule's hold on a vertex. */
interface Hold {
  readonly capsule: Capsule
  /** 0..1; those of a vertex add up to 1. */
  readonly weight: number
  readonly onLine: Vector
}

/** Holds lighter than this are left out. */
const lightest = 0.02

/** What holds a vertex: the capsules of the joint that is nearest, and of those that hang together with it. */
function holdsOf({ capsules, parents }: BodyPlan, [x, y, z]: Vector): Hold[] {
  const grips = capsules.map(capsule => grip(capsule, distanceTo(capsule, x, y, z)))
  const most = Math.max(...grips)
  const { joint } = capsules[grips.indexOf(most)]
  const isKin = (other: number) => other === joint || parents[other] === joint || parents[joint] === other
  const held = capsules.flatMap((capsule, i) => {
    if (grips[i] <= lightest * most || !isKin(capsule.joint)) return []
    const { from, to } = capsule
    const t = nearestOnLine(capsule, x, y, z)
    const at = (axis: 0 | 1 | 2) => from[axis] + t * (to[axis] - from[axis])
    return [{ capsule, onLine: [at(0), at(1), at(2)] as const, weight: grips[i] }]
  })
  const total = held.reduce((sum, { weight }) => sum + weight, 0)
  return held.map(hold => ({ ...hold, weight: hold.weight / total }))
}

/** How far a coefficient of 1 moves joints, [J x 3]. */
function jointMoves({ names, parents, joints }: BodyPlan, { length, shift }: ShapeCoefficient): Float32Array {
  const moves = new Float32Array(joints.length)
  parents.forEach((parent, joint) => {
    const own = shift?.(names[joint])
    for (let axis = 0; axis < 3; axis++) {
      const at = 3 * joint + axis
      if (parent >= 0) {
        const bone = joints[at] - joints[3 * parent + axis]
        moves[at] = moves[3 * parent + axis] + (length?.(names[parent]) ?? 0) * bone
      }
      moves[at] += own?.[axis] ?? 0
    }
  })
  return moves
}

/** How far a coefficient of 1 moves a vertex: with each joint, along its bone and away from it. */
function vertexMove(
  { names, joints }: BodyPlan,
  { length, girth }: ShapeCoefficient,
  moves: Float32Array,
  vertex: Vector,
  holds: readonly Hold[],
): number[] {
  const sum = [0, 0, 0]
  for (const { capsule, weight, onLine } of holds) {
    const { joint } = capsule
    const [longer, thicker] = [length?.(names[joint]) ?? 0, girth?.(names[joint]) ?? 0]
    for (let axis = 0; axis < 3; axis++) {
      const along = longer * (onLine[axis] - joints[3 * joint + axis])
      sum[axis] += weight * (moves[3 * joint + axis] + along + thicker * (vertex[axis] - onLine[axis]))
    }
  }
  return sum
}

/** Builds the body: always the same for the same plan. */
export function growBody(plan: BodyPlan): BodyData {
  const { capsules, lines, parents, joints, coefficients } = plan
  const { vertices, faces } = surfaceNets(lines, fieldOf(capsules, lines))
  const [count, size] = [vertices.length / 3, coefficients.length]
  const moves = coefficients.map(coefficient => jointMoves(plan, coefficient))
  const weights = new Float32Array(count * parents.length)
  const directions = new Float32Array(count * 3 * size)
  const labels = new Uint8Array(count)
  for (let vertex = 0; vertex < count; vertex++) {
    const place: Vector = [vertices[3 * vertex], vertices[3 * vertex + 1], vertices[3 * vertex + 2]]
    const holds = holdsOf(plan, place)
    for (const { capsule, weight } of holds) weights[vertex * parents.length + capsule.joint] += weight
    labels[vertex] = holds.reduce((most, hold) => (hold.weight > most.weight ? hold : most)).capsule.label
    coefficients.forEach((coefficient, i) => {
      const move = vertexMove(plan, coefficient, moves[i], place, holds)
      for (let axis = 0; axis < 3; axis++) directions[(3 * vertex + axis) * size + i] = move[axis]
    })
  }
  return {
    kind: plan.kind,
    parents: Int32Array.from(parents),
    template: vertices,
    faces,
    weights,
    joints,
    shapes: size,
    expressions: 0,
    directions,
    jointDirections: Float32Array.from({ length: joints.length * size }, (_, i) => moves[i % size][Math.floor(i / size)]),
    labels,
  }
}

/** Lines so far apart from one place to the next: pairs of a place and the step that begins there; ends at `end`. */
export function gridLines(steps: readonly (readonly [from: number, step: number])[], end: number): number[] {
  return [
    ...steps.flatMap(([from, step], i) => {
      const to = steps[i + 1]?.[0] ?? end
      const count = Math.max(1, Math.round((to - from) / step))
      return Array.from({ length: count }, (_, n) => from + (n * (to - from)) / count)
    }),
    end,
  ]
}
