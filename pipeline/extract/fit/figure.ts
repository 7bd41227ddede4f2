// What a fit moves: a body's joint tree without fingers and face, and landmarks on its skin as further leaves of the
// tree, so that one pass of forward kinematics gives all the points that detectors see.

import type { BodyData } from '../../../models/body/body-data.js'
import { poseLimits } from '../../../models/body/joint-limits.js'
import { quadrupedJointNames } from '../../../models/body/quadruped-skeleton.js'
import type { Vector } from '../../../models/body/quaternion.js'
import { bodyJoints, jointNames } from '../../../models/body/skeleton.js'
import { showShape, UsageError } from '../../../tensor/index.js'

/** K nodes: the joints that turn, then the points that follow them. */
export interface Figure {
  readonly kind: 'human' | 'animal'
  readonly data: BodyData
  /** [K]: SMPL-X's or SMAL's names of joints, and names of landmarks. */
  readonly names: readonly string[]
  readonly parents: Int32Array
  /** [K]: the vertex that a landmark is; -1 for joints. */
  readonly vertices: Int32Array
  /** The first so many nodes turn. */
  readonly turning: number
  /** [K x 3], metres. */
  readonly rest: Float32Array
  /** Coefficients of shape that are fitted, S. */
  readonly shapes: number
  /** [S x 3 K]: how far a coefficient of 1 moves nodes. */
  readonly directions: Float32Array
  /** [K x 3]: the rotation vectors that a pose is drawn to where nothing is seen, how strongly, and their limits. */
  readonly relaxed: Float32Array
  readonly stiffness: Float32Array
  readonly low: Float32Array
  readonly high: Float32Array
}

/** A point of the skin: the vertex nearest to a place beside a joint at rest, metres. */
interface Landmark {
  readonly joint: string
  readonly offset: Vector
}

const humanHalf: Readonly<Record<string, Landmark>> = {
  nose: { joint: 'head', offset: [0, 0.035, 0.11] },
  left_ear: { joint: 'head', offset: [0.08, 0.075, -0.02] },
  left_mouth: { joint: 'head', offset: [0.025, 0, 0.075] },
  left_heel: { joint: 'left_ankle', offset: [0.002, -0.055, -0.055] },
  left_toe: { joint: 'left_foot', offset: [-0.012, -0.005, 0.065] },
}
const animalHalf: Readonly<Record<string, Landmark>> = {
  Nose: { joint: 'Head', offset: [0, -0.02, 0.15] },
}

/** Joints of hands and face that detectors see, beside those that turn. */
const seenJoints = [
  'left_eye_smplhf',
  'right_eye_smplhf',
  ...['left', 'right'].flatMap(side => [`${side}_index1`, `${side}_pinky1`, `${side}_thumb2`]),
]

function mirrored(half: Readonly<Record<string, Landmark>>): Record<string, Landmark> {
  const all = { ...half }
  for (const [name, { joint, offset }] of Object.entries(half))
    if (name.startsWith('left_'))
      all[name.replace('left', 'right')] = {
        joint: joint.replace('left', 'right'),
        offset: [-offset[0], offset[1], offset[2]],
      }
  return all
}

// A person at ease: arms hang down beside the body.
const humanEase: Readonly<Record<string, Vector>> = { left_shoulder: [0, 0, -1.1], right_shoulder: [0, 0, 1.1] }

/** How strongly a person's joints are drawn to the pose at ease: one over radians^2. */
function humanStiffness(name: string): Vector {
  if (name === 'pelvis') return [0, 0, 0]
  const own = /hip|knee|shoulder|elbow/.test(name) ? 0.03 : /spine|collar|foot/.test(name) ? 1 : 0.4
  return [own, own, own]
}

/** The same of an animal's, whose legs swing about x and hardly go to the side; and how far they turn at most. */
function animalStiffness(name: string): Vector {
  if (name === 'pelvis') return [0, 0, 0]
  return /Leg|Foot/.test(name) ? [0.4, 6, 6] : [2, 2, 2]
}
const animalLimits = (name: string): Vector =>
  /Leg|Foot/.test(name) ? [1.4, 0.4, 0.4] : /spine|pelvis/.test(name) ? [0.5, 0.5, 0.5] : [1.1, 1.1, 1.1]

/** Those that only follow are held at no rotation, whose number means nothing. */
const rigid = 10

// Radians: no limit at all.
const unbounded = 100

/**
 * The figure of a body with SMPL-X's or SMAL's joints. Throws a UsageError for other bodies.
 */
export function figureOf(data: BodyData): Figure {
  if (data.kind === 'smpl')
    throw new UsageError({
      where: 'fit',
      what: 'this body cannot be fitted',
      expected: "SMPL-X's or SMAL's joints",
      got: `SMPL's, ${showShape([data.parents.length])}`,
    })
  const kind = data.kind === 'smplx' ? 'human' : 'animal'
  const all = kind === 'human' ? jointNames : quadrupedJointNames
  const turning = kind === 'human' ? bodyJoints : all.length
  const joints = [...all.slice(0, turning), ...(kind === 'human' ? seenJoints : [])]
  const landmarks = Object.entries(mirrored(kind === 'human' ? humanHalf : animalHalf))
  const names = [...joints, ...landmarks.map(([name]) => name)]
  const shapes = Math.min(10, data.shapes)
  const size = data.shapes + data.expressions
  const rest = new Float32Array(3 * names.length)
  const directions = new Float32Array(shapes * rest.length)
  const take = (node: number, from: Float32Array, moves: Float32Array, at: number) => {
    for (let axis = 0; axis < 3; axis++) {
      rest[3 * node + axis] = from[3 * at + axis]
      for (let i = 0; i < shapes; i++) directions[i * rest.length + 3 * node + axis] = moves[(3 * at + axis) * size + i]
    }
  }
  joints.forEach((name, node) => take(node, data.joints, data.jointDirections, all.indexOf(name)))
  const vertices = new Int32Array(names.length).fill(-1)
  landmarks.forEach(([, landmark], i) => {
    const vertex = vertexOf(data, all.indexOf(landmark.joint), landmark)
    vertices[joints.length + i] = vertex
    take(joints.length + i, data.template, data.directions, vertex)
  })
  const parents = Int32Array.from(names, (name, node) => {
    if (node < turning) return data.parents[node]
    const landmark = landmarks[node - joints.length]?.[1]
    // Fingers all follow the wrist.
    return all.indexOf(landmark?.joint ?? (name.includes('eye') ? 'head' : `${name.split('_')[0]}_wrist`))
  })
  const each = (f: (name: string, node: number) => readonly number[]) => Float32Array.from(names.flatMap(f))
  const limitsOf = (name: string, node: number, limits: Float32Array, sign: number): readonly number[] => {
    if (node === 0 || node >= turning) return new Array<number>(3).fill(sign * unbounded)
    return kind === 'human' ? [...limits.subarray(3 * node, 3 * node + 3)] : animalLimits(name).map(most => sign * most)
  }
  const stiffnessOf = kind === 'human' ? humanStiffness : animalStiffness
  return {
    kind,
    data,
    names,
    parents,
    vertices,
    turning,
    rest,
    shapes,
    directions,
    relaxed: each(name => (kind === 'human' ? humanEase[name] : undefined) ?? [0, 0, 0]),
    stiffness: each((name, node) => (node < turning ? stiffnessOf(name) : [rigid, rigid, rigid])),
    low: each((name, node) => limitsOf(name, node, poseLimits.low, -1)),
    high: each((name, node) => limitsOf(name, node, poseLimits.high, 1)),
  }
}

/** The vertex nearest to a landmark's place. */
function vertexOf({ joints, template }: BodyData, joint: number, { offset }: Landmark): number {
  let nearest = 0
  let least = Infinity
  for (let vertex = 0; vertex < template.length / 3; vertex++) {
    let square = 0
    for (let axis = 0; axis < 3; axis++)
      square += (template[3 * vertex + axis] - joints[3 * joint + axis] - offset[axis]) ** 2
    if (square < least) [nearest, least] = [vertex, square]
  }
  return nearest
}
