// An open body out of its capsules: one closed mesh, what each vertex clings to, and how shape coefficients move it.

import type { BodyData, BodyKind } from './body-data.js'
import { bendsAway, boxOf, distanceTo, nearestOnLine, pull, type Capsule } from './flesh.js'
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
  /** Further coefficients, which do nothing. */
  readonly spare?: number
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
  for (let i = 0; i < total.length; i++) total[i] = -Math.log(Math.max(total[i], faintest))
  return total
}

/** A capsule's hold on a vertex. */
interface Hold {
  readonly capsule: Capsule
  /** 0..1; those of a vertex add up to 1. */
  weight: number
  readonly onLine: Vector
}

/** Holds lighter than this, beside the heaviest, are left out. */
const lightest = 0.02
// Farther than the nearest by so much, nothing holds: a little more than the logarithm of that.
const tooFar = 4

/** What holds a vertex: the capsules of the joint that is nearest, and of those that hang together with it. */
function holdsOf({ capsules, parents }: BodyPlan, [x, y, z]: Vector): Hold[] {
  const away = new Float64Array(capsules.length)
  let nearest = 0
  for (let i = 0; i < capsules.length; i++) {
    away[i] = bendsAway(capsules[i], distanceTo(capsules[i], x, y, z))
    if (away[i] < away[nearest]) nearest = i
  }
  const heaviest = Math.exp(-away[nearest])
  const { joint } = capsules[nearest]
  const isKin = (other: number) => other === joint || parents[other] === joint || parents[joint] === other
  const held: Hold[] = []
  let total = 0
  for (let i = 0; i < capsules.length; i++) {
    const capsule = capsules[i]
    if (away[i] > away[nearest] + tooFar || !isKin(capsule.joint)) continue
    const weight = Math.exp(-away[i])
    if (weight <= lightest * heaviest) continue
    const { from, to } = capsule
    const t = nearestOnLine(capsule, x, y, z)
    const at = (axis: 0 | 1 | 2) => from[axis] + t * (to[axis] - from[axis])
    held.push({ capsule, onLine: [at(0), at(1), at(2)], weight })
    total += weight
  }
  for (const hold of held) hold.weight /= total
  return held
}

/** A coefficient, joint by joint. */
interface Effect {
  /** [J]: how much longer and thicker. */
  readonly longer: Float64Array
  readonly thicker: Float64Array
  /** [J x 3]: how far a coefficient of 1 moves joints. */
  readonly moves: Float32Array
}

function effectOf(plan: BodyPlan, coefficient: ShapeCoefficient): Effect {
  const { length, girth } = coefficient
  const each = (f?: (joint: string) => number) => Float64Array.from(plan.names, name => f?.(name) ?? 0)
  return { longer: each(length), thicker: each(girth), moves: jointMoves(plan, coefficient) }
}

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

/** How far coefficients of 1 move a vertex, added to `moved` [3 x N]: with each joint, along its bone and away from it. */
function addMoves(
  moved: Float64Array,
  joints: Float32Array,
  effects: readonly Effect[],
  place: Vector,
  holds: readonly Hold[],
): void {
  for (const { capsule, weight, onLine } of holds)
    for (let axis = 0; axis < 3; axis++) {
      const { joint } = capsule
      const at = 3 * joint + axis
      const [along, away] = [onLine[axis] - joints[at], place[axis] - onLine[axis]]
      for (let i = 0; i < effects.length; i++) {
        const { longer, thicker, moves } = effects[i]
        moved[axis * effects.length + i] += weight * (moves[at] + longer[joint] * along + thicker[joint] * away)
      }
    }
}

/** Builds the body: always the same for the same plan. */
export function growBody(plan: BodyPlan): BodyData {
  const { capsules, lines, parents, joints, coefficients } = plan
  const { vertices, faces } = surfaceNets(lines, fieldOf(capsules, lines))
  const [count, size] = [vertices.length / 3, coefficients.length + (plan.spare ?? 0)]
  const effects = coefficients.map(coefficient => effectOf(plan, coefficient))
  const weights = new Float32Array(count * parents.length)
  const directions = new Float32Array(count * 3 * size)
  const labels = new Uint8Array(count)
  const moved = new Float64Array(3 * effects.length)
  for (let vertex = 0; vertex < count; vertex++) {
    const place: Vector = [vertices[3 * vertex], vertices[3 * vertex + 1], vertices[3 * vertex + 2]]
    const holds = holdsOf(plan, place)
    for (const { capsule, weight } of holds) weights[vertex * parents.length + capsule.joint] += weight
    labels[vertex] = holds.reduce((most, hold) => (hold.weight > most.weight ? hold : most)).capsule.label
    addMoves(moved.fill(0), joints, effects, place, holds)
    for (let axis = 0; axis < 3; axis++)
      for (let i = 0; i < effects.length; i++)
        directions[(3 * vertex + axis) * size + i] = moved[axis * effects.length + i]
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
    jointDirections: Float32Array.from(
      { length: joints.length * size },
      (_, i) => effects[i % size]?.moves[Math.floor(i / size)] ?? 0,
    ),
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

/** The same lines on both sides of 0, where `lines` begin. */
export function mirroredLines(lines: readonly number[]): number[] {
  return [
    ...lines
      .slice(1)
      .map(place => -place)
      .reverse(),
    ...lines,
  ]
}

/** A number for the joints whose names are like a pattern; 0 for the others. */
export function on(pattern: RegExp, amount: number): (joint: string) => number {
  return joint => (pattern.test(joint) ? amount : 0)
}
