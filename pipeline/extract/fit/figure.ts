// What a fit moves: a body's joint tree without fingers and face, and landmarks on its skin as further leaves of the
// tree, so that one pass of forward kinematics gives all the points that detectors see.

import type { BodyData } from '../../../models/body/body-data.js'
import { poseLimits } from '../../../models/body/joint-limits.js'
import { animalLabel, animalParts } from '../../../models/body/labels.js'
import { quadrupedJointNames } from '../../../models/body/quadruped-skeleton.js'
import type { PartMiddle } from '../keypoints.js'
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
  /** [K]: the vertices whose middle a node is; none for joints. */
  readonly vertices: readonly (readonly number[])[]
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
  const followers = followersOf(data, kind, all)
  const names = [...joints, ...followers.map(({ name }) => name)]
  const vertices = [...joints.map(() => []), ...followers.map(({ vertices }) => vertices)]
  const shapes = Math.min(10, data.shapes)
  const size = data.shapes + data.expressions
  const rest = new Float32Array(3 * names.length)
  const directions = new Float32Array(shapes * rest.length)
  names.forEach((name, node) => {
    const [places, moves, rows] =
      vertices[node].length === 0
        ? [data.joints, data.jointDirections, [all.indexOf(name)]]
        : [data.template, data.directions, vertices[node]]
    const mean = (value: (row: number) => number) => rows.reduce((sum, row) => sum + value(row), 0) / rows.length
    for (let axis = 0; axis < 3; axis++) {
      rest[3 * node + axis] = mean(row => places[3 * row + axis])
      for (let i = 0; i < shapes; i++)
        directions[i * rest.length + 3 * node + axis] = mean(row => moves[(3 * row + axis) * size + i])
    }
  })
  const parents = Int32Array.from(names, (name, node) => {
    if (node < turning) return data.parents[node]
    // Fingers all follow the wrist.
    const above = name.includes('eye') ? 'head' : `${name.split('_')[0]}_wrist`
    return followers[node - joints.length]?.joint ?? all.indexOf(above)
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

/** A node on the skin: the middle of vertices, and the joint that it follows. */
interface Follower {
  readonly name: string
  readonly joint: number
  readonly vertices: readonly number[]
}

/** The name of the node in the middle of an animal's part (`animalParts`). */
export function partNode(part: string): PartMiddle {
  return `middle of ${part}`
}

/** Landmarks; and of animals, of which few detectors tell points, the middles of their parts. */
function followersOf(data: BodyData, kind: Figure['kind'], joints: readonly string[]): Follower[] {
  const landmarks = Object.entries(mirrored(kind === 'human' ? humanHalf : animalHalf)).map(([name, landmark]) => {
    const joint = joints.indexOf(landmark.joint)
    return { name, joint, vertices: [vertexOf(data, joint, landmark)] }
  })
  if (kind === 'human') return landmarks
  const parts = animalParts.map((part): Follower => {
    const label = animalLabel(part)
    const vertices = [...data.labels].flatMap((own, vertex) => (own === label ? [vertex] : []))
    const holds = joints.map((_, joint) =>
      vertices.reduce((sum, vertex) => sum + data.weights[vertex * joints.length + joint], 0),
    )
    return { name: partNode(part), joint: holds.indexOf(Math.max(...holds)), vertices }
  })
  return [...landmarks, ...parts.filter(({ vertices }) => vertices.length > 0)]
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
