// From a target pose on paper to one in space: the body of the last frame, bent so that its parts are seen where the
// sketch has them, and no more than that asks for. A damped least-squares descent (Levenberg, Marquardt) on the turns
// of its joints, by differences.

import { poseLimits } from '../../models/body/joint-limits.js'
import { partsOfJoints, animalLabel, humanLabel } from '../../models/body/labels.js'
import {
  fromAxisAngle,
  identity,
  inverse,
  multiply,
  slerp,
  toAxisAngle,
  vectorAt,
  type Vector,
} from '../../models/body/quaternion.js'
import { quadrupedParents } from '../../models/body/quadruped-skeleton.js'
import { jointParents } from '../../models/body/skeleton.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { jointsOf, type EntityKind } from '../../models/pppm/kinds.js'
import type { PoseTarget } from '../control/target-pose.js'
import { project, type Camera } from '../render/camera.js'
import { entityPoints } from '../scene/entity-points.js'
import type { Scene, SceneEntity } from '../scene/scene.js'
import { solveSymmetric } from './solve.js'

/** Where a part is to be seen. */
type Goal = Pick<PoseTarget, 'label' | 'x' | 'y'>

/** A scene that comes to a target pose, and how well. */
export interface Targeted {
  readonly scene: Scene
  /** Parts that were moved, and how far from their places they are, pixels on the average. */
  readonly parts: number
  readonly error: number
}

const rounds = 24
// What a turn of a radian of a joint, of the whole body, and a metre of its place cost, against a distance of the
// body's height.
const costs = { joint: 0.02, whole: 0.12, place: 0.3 }
const step = 1e-3
// Joints beyond these are fingers, eyes and jaw.
const movedJoints = { human: 22, animal: jointsOf.animal } as const

/**
 * Brings the scene's last frame to a target pose: every part that somebody has to its place. The frames before go over
 * into it, the more the later they are.
 */
export function aimScene(scene: Scene, targets: readonly PoseTarget[]): Targeted {
  const { camera, entities, frames } = scene
  const last = frames - 1
  let [parts, error] = [0, 0]
  const aimed = entities.map(entity => {
    const goals = targets.filter(target => target.entity === entity.id)
    if (goals.length === 0) return entity
    const pose = entity.kind === 'object' ? shifted(entity, last, goals[0], camera) : bent(entity, last, goals, camera)
    const motion = comingTo(entity.motion, pose)
    const confidence = entity.confidence.slice()
    confidence[last] = 1
    const moved = { ...entity, motion, confidence }
    for (const goal of goals) {
      parts++
      error += apartOf(partPlace(moved, last, goal.label, camera), goal)
    }
    return moved
  })
  return { scene: { ...scene, entities: aimed }, parts, error: parts > 0 ? error / parts : 0 }
}

function apartOf([x, y]: readonly number[], goal: Goal): number {
  return Math.hypot(x - goal.x, y - goal.y)
}

/** The joints that a part follows. */
function jointsOfLabel(kind: 'human' | 'animal', label: number): number[] {
  const labels = partsOfJoints(kind === 'human' ? 'smplx' : 'smal').map(kind === 'human' ? humanLabel : animalLabel)
  return labels.flatMap((own, joint) => (own === label ? [joint] : []))
}

function parentsOf(kind: 'human' | 'animal'): readonly number[] {
  return kind === 'human' ? jointParents : quadrupedParents
}

/** Where the middle of a part is: halfway along the bones of its joints; of an object, its centre. Pixels. */
function partPlace(
  { kind, motion }: Pick<SceneEntity, 'kind' | 'motion'>,
  frame: number,
  label: number,
  camera: Camera,
): Vector {
  const points = entityPoints(motion, frame)
  if (kind === 'object') return project(camera, vectorAt(points, 4))
  const parents = parentsOf(kind)
  const ends = jointsOfLabel(kind, label).flatMap(joint => {
    const children = parents.flatMap((parent, child) => (parent === joint ? [child] : []))
    return [...(children.length > 0 ? children : [joint]), ...children.map(() => joint), joint]
  })
  const middle = [0, 1, 2].map(axis => ends.reduce((sum, joint) => sum + points[3 * joint + axis], 0) / ends.length)
  return project(camera, [middle[0], middle[1], middle[2]])
}

/** An object's numbers, moved across the view so that its centre is where it should be. */
function shifted({ kind, motion }: SceneEntity, frame: number, { x, y }: Goal, camera: Camera): Float32Array {
  const width = numbersOf(kind)
  const pose = motion.numbers.slice(frame * width, (frame + 1) * width)
  const [u, v, depth] = project(camera, vectorAt(pose, 4))
  const [right, down] = camera.axes
  const [across, below] = [((x - u) * depth) / camera.focal, ((y - v) * depth) / camera.focal]
  return pose.map((value, i) => value + across * right[i % 3] + below * down[i % 3])
}

/** A body's numbers, bent so that parts are seen where they should be. */
function bent({ kind, motion }: SceneEntity, frame: number, goals: readonly Goal[], camera: Camera): Float32Array {
  const body = kind as 'human' | 'animal'
  const width = numbersOf(kind)
  const start = motion.numbers.slice(frame * width, (frame + 1) * width)
  const places = freedoms(body, goals)
  const size = bodySize(body, start, camera)
  const poseOf = (change: Float64Array) => moved(body, start, places, change)
  const errors = (change: Float64Array) => {
    const pose = { kind, motion: { kind, numbers: poseOf(change) } }
    return goals.flatMap(({ label, x, y }) => {
      const [u, v] = partPlace(pose, 0, label, camera)
      return [(u - x) / size, (v - y) / size]
    })
  }
  const change = new Float64Array(places.length)
  for (let round = 0; round < rounds; round++) {
    const here = errors(change)
    const slopes = places.map((_, i) => {
      const near = change.slice()
      near[i] += step
      return errors(near).map((value, k) => (value - here[k]) / step)
    })
    const dotOf = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0)
    const matrix = slopes.map((row, i) =>
      slopes.map((column, j) => dotOf(row, column) + (i === j ? places[i].cost ** 2 : 0)),
    )
    const goal = slopes.map((row, i) => -dotOf(row, here) - places[i].cost ** 2 * change[i])
    solveSymmetric(matrix, goal).forEach((value, i) => (change[i] += Math.max(-0.5, Math.min(0.5, value))))
  }
  return poseOf(change)
}

/** One number that may change: of a joint's turn, or of the place. */
interface Freedom {
  readonly joint: number
  readonly axis: number
  readonly cost: number
}

/** All joints that move a part which has a goal, and the place. */
function freedoms(kind: 'human' | 'animal', goals: readonly Goal[]): Freedom[] {
  const parents = parentsOf(kind)
  const chain = new Set<number>()
  for (const { label } of goals)
    for (let joint of jointsOfLabel(kind, label))
      for (; joint >= 0; joint = parents[joint]) if (joint < movedJoints[kind]) chain.add(joint)
  const axes = [0, 1, 2]
  const turns = [...chain].flatMap(joint =>
    axes.map(axis => ({ joint, axis, cost: joint === 0 ? costs.whole : costs.joint })),
  )
  return [...turns, ...axes.map(axis => ({ joint: jointsOf[kind], axis, cost: costs.place }))]
}

/** A pose with its joints turned on and its place moved. Joints of people stay within their limits. */
function moved(
  kind: 'human' | 'animal',
  start: Float32Array,
  places: readonly Freedom[],
  change: Float64Array,
): Float32Array {
  const pose = start.slice()
  const turns = new Map<number, [number, number, number]>()
  places.forEach(({ joint, axis }, i) => {
    const turn = turns.get(joint) ?? [0, 0, 0]
    turn[axis] = change[i]
    turns.set(joint, turn)
  })
  const { low, high } = poseLimits
  for (const [joint, turn] of turns) {
    const given = vectorAt(start, joint)
    const isPlace = joint === jointsOf[kind]
    const whole = isPlace
      ? turn.map((value, axis) => given[axis] + value)
      : toAxisAngle(multiply(fromAxisAngle(turn), fromAxisAngle(given)))
    whole.forEach((value, axis) => {
      const at = 3 * joint + axis
      const isBound = kind === 'human' && !isPlace && joint > 0
      // Whatever is beyond its limits to begin with may stay there.
      const [least, most] = isBound ? [Math.min(low[at], given[axis]), Math.max(high[at], given[axis])] : [-1e6, 1e6]
      pose[at] = Math.max(least, Math.min(most, value))
    })
  }
  return pose
}

/** How large a body is in the picture, pixels. */
function bodySize(kind: EntityKind, numbers: Float32Array, camera: Camera): number {
  const points = entityPoints({ kind, numbers }, 0)
  const seen = Array.from({ length: points.length / 3 }, (_, i) => project(camera, vectorAt(points, i)))
  const extent = (axis: 0 | 1) => {
    const values = seen.map(point => point[axis])
    return Math.max(...values) - Math.min(...values)
  }
  return Math.max(1, Math.hypot(extent(0), extent(1)))
}

/** A motion whose last frame is a pose, what it changes fading in from the first. */
function comingTo({ kind, numbers }: EntityMotion, pose: Float32Array): EntityMotion {
  const width = numbersOf(kind)
  const frames = numbers.length / width
  const out = numbers.slice()
  const from = numbers.subarray((frames - 1) * width)
  for (let frame = 0; frame < frames; frame++) {
    const time = frames > 1 ? frame / (frames - 1) : 1
    const share = time * time * (3 - 2 * time)
    for (let i = 0; i < width / 3; i++) {
      const [given, old, fresh] = [vectorAt(out, frame * (width / 3) + i), vectorAt(from, i), vectorAt(pose, i)]
      const isTurn = i < jointsOf[kind]
      const turn = () => {
        const change = multiply(fromAxisAngle(fresh), inverse(fromAxisAngle(old)))
        return toAxisAngle(multiply(slerp(identity, change, share), fromAxisAngle(given)))
      }
      const value = isTurn ? turn() : given.map((x, axis) => x + share * (fresh[axis] - old[axis]))
      out.set(value, frame * width + 3 * i)
    }
  }
  return { kind, numbers: out }
}
