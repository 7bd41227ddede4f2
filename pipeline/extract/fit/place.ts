// From the camera's axes into the world: how far the camera looks down, where the floor is, and bodies as entities.

import {
  fromMatrix,
  multiply,
  toAxisAngle,
  vectorAt,
  type Quaternion,
  type Vector,
} from '../../../models/body/quaternion.js'
import { jointsOf } from '../../../models/pppm/kinds.js'
import type { Camera } from '../../render/camera.js'
import type { SceneEntity } from '../../scene/scene.js'
import type { BodyFit } from './fit.js'
import type { Lens } from './prepare.js'

// Photographers look down a little; bodies stand upright, more or less. Radians.
const usualPitch = { mean: 0.1, deviation: 0.2 }
const uprightness = 0.15
// Of a body's lowest points this share is below the floor by mistake.
const sunk = 0.1

/** The place of a node in a frame, camera axes. */
function nodeAt({ figure, nodes }: BodyFit, t: number, name: string): Vector {
  return vectorAt(nodes, t * figure.names.length + figure.names.indexOf(name))
}

const feet = {
  human: ['left_ankle', 'right_ankle'],
  animal: ['LFoot', 'RFoot', 'LFootBack', 'RFootBack'],
} as const
const trunk = { human: ['pelvis', 'neck'], animal: ['pelvis', 'spine3'] } as const

/** The middle of points. */
export function meanOf(points: readonly Vector[]): Vector {
  const at = (axis: 0 | 1 | 2) => points.reduce((sum, point) => sum + point[axis], 0) / points.length
  return [at(0), at(1), at(2)]
}

/**
 * How far the camera looks down, radians: so that bodies stand upright on the average, unless that is unlikely. Weighs
 * frames by their confidence.
 */
export function pitchOf(fits: readonly BodyFit[]): number {
  let [down, forward] = [0, 0]
  for (const fit of fits)
    fit.confidence.forEach((confidence, t) => {
      const { kind } = fit.figure
      const [low, high] = [feet[kind], trunk[kind]].map(names => meanOf(names.map(name => nodeAt(fit, t, name))))
      const [y, z] = [high[1] - low[1], high[2] - low[2]]
      const length = Math.hypot(y, z) || 1
      down += (confidence * y) / length
      forward += (confidence * z) / length
    })
  if (!(down < 0)) return usualPitch.mean
  const [seen, usual] = [1 / uprightness ** 2, 1 / usualPitch.deviation ** 2]
  return (Math.atan2(-forward, -down) * seen + usualPitch.mean * usual) / (seen + usual)
}

/** A camera that looks against z and down by `pitch`, above the origin, with bodies' feet on the floor. */
export function cameraOf(fits: readonly BodyFit[], lens: Lens, pitch = pitchOf(fits)): Camera {
  const [sin, cos] = [Math.sin(pitch), Math.cos(pitch)]
  const axes = [
    [1, 0, 0],
    [0, -cos, sin],
    [0, -sin, -cos],
  ] as const
  const floors = fits.flatMap(({ nodes, confidence, figure }) => {
    const lowest = Array.from(confidence).flatMap((trust, t) => {
      if (trust === 0) return []
      const heights = figure.names.map((_, node) => {
        const [, y, z] = vectorAt(nodes, t * figure.names.length + node)
        return y * axes[1][1] + z * axes[2][1]
      })
      return [Math.min(...heights)]
    })
    return lowest.length === 0 ? [] : [lowest.sort((a, b) => a - b)[Math.floor(sunk * lowest.length)]]
  })
  const height = floors.length === 0 ? usualHeight : -floors.sort((a, b) => a - b)[Math.floor(floors.length / 2)]
  return { position: [0, height, 0], axes, ...lens }
}

// Of a camera above the floor, metres, where no feet tell it.
const usualHeight = 1.4

/** Where a point in the camera's axes is in the world. */
export function intoWorld({ position, axes }: Camera, [x, y, z]: Vector): Vector {
  const at = (axis: 0 | 1 | 2) => position[axis] + x * axes[0][axis] + y * axes[1][axis] + z * axes[2][axis]
  return [at(0), at(1), at(2)]
}

/** What the camera's axes are turned by, seen from the world. */
function turnOf({ axes }: Camera): Quaternion {
  return fromMatrix([0, 1, 2].flatMap(row => axes.map(axis => axis[row])))
}

/** A fitted body as an entity of the scene that the camera sees. */
export function entityOf(fit: BodyFit, camera: Camera, { id, name }: Pick<SceneEntity, 'id' | 'name'>): SceneEntity {
  const { figure, turns, pose, nodes, shape, confidence } = fit
  const { kind, data } = figure
  const width = 3 * jointsOf[kind] + 3
  const numbers = new Float32Array(turns.length * width)
  const whole = turnOf(camera)
  const root = rootOf(fit)
  turns.forEach((turn, t) => {
    const at = t * width
    numbers.set(pose.subarray(t * figure.rest.length, t * figure.rest.length + 3 * figure.turning), at)
    numbers.set(toAxisAngle(multiply(whole, turn)), at)
    const [x, y, z] = intoWorld(camera, vectorAt(nodes, t * figure.names.length))
    numbers.set([x - root[0], y - root[1], z - root[2]], at + width - 3)
  })
  const coefficients = new Float32Array(data.shapes)
  coefficients.set(shape)
  return { id, name, kind, motion: { kind, numbers }, shape: coefficients, confidence }
}

/** Where the first joint is at rest, given the shape. */
function rootOf({ figure: { rest, directions, shapes }, shape }: BodyFit): Vector {
  const at = (axis: 0 | 1 | 2) => {
    let sum = rest[axis]
    for (let i = 0; i < shapes; i++) sum += shape[i] * directions[i * rest.length + axis]
    return sum
  }
  return [at(0), at(1), at(2)]
}
