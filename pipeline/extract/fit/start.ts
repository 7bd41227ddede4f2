// Where a fit begins: turns that take limbs into the directions seen, and the place that projects them where they are.

import {
  between,
  fromAxisAngle,
  fromMatrix,
  identity,
  inverse,
  multiply,
  rotate,
  slerp,
  toAxisAngle,
  vectorAt,
  type Quaternion,
  type Vector,
} from '../../../models/body/quaternion.js'
import { normalOf } from '../../render/camera.js'
import type { PoseGuess } from '../detection.js'
import type { Figure } from './figure.js'
import type { Observations } from './observations.js'

/** Poses in the camera's axes: x right, y down, z forward. */
export interface Start {
  /** [T]: how the whole body is turned. */
  readonly turns: readonly Quaternion[]
  /** [T x 3 K]: rotation vectors of nodes against their parents; those of the first are zero. */
  readonly pose: Float32Array
}

/** Somebody upright who looks into the camera. */
export const facing: Quaternion = fromMatrix([1, 0, 0, 0, -1, 0, 0, 0, -1])

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const middle = (a: Vector, b: Vector): Vector => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2]
const lengthOf = ([x, y, z]: Vector) => Math.hypot(x, y, z)

/** The turn that takes the x and y axes to a direction and one as nearly along another as can be. */
function frameOf(x: Vector, y: Vector): Quaternion {
  const length = lengthOf(x) || 1
  const a: Vector = [x[0] / length, x[1] / length, x[2] / length]
  const c = normalOf(a, y)
  const b = normalOf(c, a)
  return fromMatrix([0, 1, 2].flatMap(row => [a[row], b[row], c[row]]))
}

/** Frames of the trunk as seen or at rest: by the line across it, left from right, and the way up. */
const trunkFrame = (at: (name: string) => Vector, left: string, right: string): Quaternion =>
  frameOf(
    minus(at(left), at(right)),
    minus(middle(at('left_shoulder'), at('right_shoulder')), middle(at('left_hip'), at('right_hip'))),
  )

/** Limbs of two bones; `hinge` is the direction across both when a joint at rest bends, or a little later. */
const limbs: readonly { joints: readonly [string, string, string]; base: string; hinge: Vector }[] = [
  { joints: ['left_shoulder', 'left_elbow', 'left_wrist'], base: 'left_collar', hinge: [0, -1, 0] },
  { joints: ['right_shoulder', 'right_elbow', 'right_wrist'], base: 'right_collar', hinge: [0, 1, 0] },
  { joints: ['left_hip', 'left_knee', 'left_ankle'], base: 'pelvis', hinge: [1, 0, 0] },
  { joints: ['right_hip', 'right_knee', 'right_ankle'], base: 'pelvis', hinge: [1, 0, 0] },
]

// The sine of the least bend whose plane tells how a limb is turned about itself.
const leastBend = 0.3

const trunkNames = ['left_hip', 'right_hip', 'left_shoulder', 'right_shoulder']

/** Whether the points seen in space suffice to begin with. */
export function hasTrunk({ kind, names }: Figure, { pointTrust, frames }: Observations): boolean {
  const seen = (name: string) => {
    const node = names.indexOf(name)
    return Array.from({ length: frames }, (_, t) => pointTrust[t * names.length + node]).some(trust => trust > 0)
  }
  return kind === 'human' && trunkNames.every(seen)
}

/** A person's poses out of points in space, which hold the trunk (`hasTrunk`). Limbs never seen hang at ease. */
export function startOfPoints(figure: Figure, observations: Observations, fps: number): Start {
  const points = steadied(observations, figure.names.length, fps)
  const turns: Quaternion[] = []
  const pose = new Float32Array(observations.frames * figure.rest.length)
  for (let t = 0; t < observations.frames; t++) {
    const { turn, locals } = poseOf(figure, points.subarray(t * figure.rest.length, (t + 1) * figure.rest.length))
    turns.push(turn)
    locals.forEach((local, node) => pose.set(toAxisAngle(local), t * figure.rest.length + 3 * node))
  }
  return { turns, pose }
}

/** Poses out of what a network guessed, in frames without a guess as in the nearest one with; undefined without any. */
export function startOfGuesses(
  { kind, rest, turning }: Figure,
  guesses: readonly (PoseGuess | undefined)[],
): Start | undefined {
  const known = guesses.flatMap((guess, t) => (guess ? [t] : []))
  if (known.length === 0 || kind !== 'human') return undefined
  const pose = new Float32Array(guesses.length * rest.length)
  const turns = guesses.map((_, t) => {
    const nearest = known.reduce((a, b) => (Math.abs(b - t) < Math.abs(a - t) ? b : a))
    const { rotations } = guesses[nearest]!
    // SMPL's joints begin as SMPL-X's do.
    pose.set(rotations.subarray(3, 3 * turning), t * rest.length + 3)
    return fromAxisAngle(vectorAt(rotations, 0))
  })
  return { turns, pose }
}

/** One frame; points [K x 3] are NaN where a node is never seen. */
function poseOf({ names, rest, relaxed, parents, turning }: Figure, points: Float32Array) {
  const seen = (name: string) => vectorAt(points, names.indexOf(name))
  const still = (name: string) => vectorAt(rest, names.indexOf(name))
  const isSeen = (...wanted: string[]) => wanted.every(name => !Number.isNaN(seen(name)[0]))
  const trunk = (left: string, right: string) =>
    multiply(trunkFrame(seen, left, right), inverse(trunkFrame(still, left, right)))
  const hips = trunk('left_hip', 'right_hip')
  const chest = trunk('left_shoulder', 'right_shoulder')

  const turned = new Map<string, Quaternion>([['pelvis', hips]])
  const bend = slerp(identity, multiply(inverse(hips), chest), 1 / 3)
  for (const [from, to] of [
    ['pelvis', 'spine1'],
    ['spine1', 'spine2'],
    ['spine2', 'spine3'],
  ])
    turned.set(to, multiply(turned.get(from)!, bend))
  if (isSeen('nose', 'left_ear', 'right_ear')) {
    const head = (at: (name: string) => Vector) =>
      frameOf(minus(at('left_ear'), at('right_ear')), minus(middle(at('left_ear'), at('right_ear')), at('nose')))
    const global = multiply(head(seen), inverse(head(still)))
    turned.set('neck', slerp(turned.get('spine3')!, global, 0.5))
    turned.set('head', global)
  }
  for (const { joints, base, hinge } of limbs) {
    if (!isSeen(...joints)) continue
    const [upper, lower] = [minus(seen(joints[1]), seen(joints[0])), minus(seen(joints[2]), seen(joints[1]))]
    const [upperRest, lowerRest] = [
      minus(still(joints[1]), still(joints[0])),
      minus(still(joints[2]), still(joints[1])),
    ]
    const above = turned.get(base) ?? turned.get('spine3')!
    const across = crossOf(upper, lower)
    const bent = lengthOf(across) / (lengthOf(upper) * lengthOf(lower) || 1)
    const first =
      bent > leastBend
        ? multiply(frameOf(upper, across), inverse(frameOf(upperRest, hinge)))
        : multiply(between(rotate(above, upperRest), upper), above)
    turned.set(joints[0], first)
    turned.set(joints[1], multiply(between(rotate(first, lowerRest), lower), first))
  }
  const globals: Quaternion[] = []
  const locals = names.map((name, node) => {
    const parent = node === 0 ? identity : globals[parents[node]]
    const global =
      turned.get(name) ?? multiply(parent, node < turning ? fromAxisAngle(vectorAt(relaxed, node)) : identity)
    globals.push(global)
    return node === 0 ? identity : multiply(inverse(parent), global)
  })
  return { turn: hips, locals }
}

function crossOf(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

// Seconds around a frame that tell of it, and how much all other frames do: where a point was not seen nearby.
const around = 0.05
const elsewhere = 1e-6

/** Points in space evened out over time and over gaps; NaN where a node is never seen. */
function steadied({ frames, points, pointTrust }: Observations, nodes: number, fps: number): Float32Array {
  const out = new Float32Array(points.length).fill(NaN)
  for (let node = 0; node < nodes; node++)
    for (let t = 0; t < frames; t++) {
      const sums = [0, 0, 0]
      let weight = 0
      for (let other = 0; other < frames; other++) {
        const at = other * nodes + node
        const apart = (other - t) / fps / around
        const own = pointTrust[at] * (Math.exp(-0.5 * apart * apart) + elsewhere / (1 + apart ** 4))
        weight += own
        for (let axis = 0; axis < 3; axis++) sums[axis] += own * points[3 * at + axis]
      }
      if (weight > 0)
        out.set(
          sums.map(sum => sum / weight),
          3 * (t * nodes + node),
        )
    }
  return out
}

/** Nodes [K x 3] in the camera's axes, seen from `focal` pixels: where the body has to be to project as observed. */
export function placeOf(
  nodes: ArrayLike<number>,
  pixels: ArrayLike<number>,
  trust: ArrayLike<number>,
  { focal, centre }: { focal: number; centre: readonly [number, number] },
): Vector | undefined {
  // Of each point two equations that are linear in the place t: f (X + tx) = u (Z + tz), and the same downwards. The
  // x and y that fit best follow from z, which leaves one unknown.
  let [weight, meanX, meanY, meanU, meanV] = [0, 0, 0, 0, 0]
  const count = trust.length
  const u = (i: number) => (pixels[2 * i] - centre[0]) / focal
  const v = (i: number) => (pixels[2 * i + 1] - centre[1]) / focal
  const right = (i: number) => nodes[3 * i] - u(i) * nodes[3 * i + 2]
  const down = (i: number) => nodes[3 * i + 1] - v(i) * nodes[3 * i + 2]
  for (let i = 0; i < count; i++) {
    weight += trust[i]
    meanX += trust[i] * right(i)
    meanY += trust[i] * down(i)
    meanU += trust[i] * u(i)
    meanV += trust[i] * v(i)
  }
  if (!(weight > 0)) return undefined
  const means = [meanX, meanY, meanU, meanV].map(sum => sum / weight)
  ;[meanX, meanY, meanU, meanV] = means
  let [product, square] = [0, 0]
  for (let i = 0; i < count; i++) {
    const [du, dv] = [u(i) - meanU, v(i) - meanV]
    product += trust[i] * (du * (right(i) - meanX) + dv * (down(i) - meanY))
    square += trust[i] * (du * du + dv * dv)
  }
  if (!(square > 1e-12)) return undefined
  const z = product / square
  if (!(z > 0)) return undefined
  return [meanU * z - meanX, meanV * z - meanY, z]
}
