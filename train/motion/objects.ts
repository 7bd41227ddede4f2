// Objects that move as physics has it: flights are parabolas, impacts lose energy, balls roll without slipping, boxes
// slide until friction has stopped them. Free captures of objects are scarce, so the PPPM learns from these.

import type { EntityMotion } from '../../models/pppm/encoding.js'
import { objectPoints } from '../../models/pppm/kinds.js'
import type { Generator } from '../../tensor/index.js'
import { motionFps } from './motion.js'

/** What objects do. */
export const objectKinds = ['throw', 'bounce', 'roll', 'slide', 'carry'] as const
export type ObjectKind = (typeof objectKinds)[number]

/** m/s^2 */
export const gravity = 9.81

/** An object in its plane of motion: place along the floor, height and angle, and how fast they change. */
export interface ObjectState {
  readonly along: number
  readonly height: number
  readonly angle: number
  readonly speed: number
  readonly climb: number
  readonly spin: number
}

interface Body {
  /** Of a ball, or half the height of a box, metres. */
  readonly radius: number
  readonly isBall: boolean
  /** Speed after an impact over that before. */
  readonly restitution: number
  /** Deceleration on the floor over gravity: of rolling, or of sliding. */
  readonly friction: number
}

// Slower than this, m/s, nothing leaves the floor again.
const stays = 0.2
const substeps = 64

/** How an object goes on from a state, one state a frame: the steps inside a frame are exact parabolas. */
export function simulateObject(start: ObjectState, body: Body, frames: number): ObjectState[] {
  const states = [start]
  let state = start
  for (let i = 1; i < frames * substeps; i++) {
    state = step(state, body, 1 / (motionFps * substeps))
    if (i % substeps === 0) states.push(state)
  }
  return states
}

function step(state: ObjectState, body: Body, seconds: number): ObjectState {
  const { radius, isBall, restitution, friction } = body
  if (state.height <= radius && state.climb === 0) {
    const speed = Math.max(0, state.speed - friction * gravity * seconds)
    const along = state.along + ((state.speed + speed) / 2) * seconds
    const spin = isBall ? speed / radius : 0
    const angle = isBall ? state.angle + (along - state.along) / radius : state.angle
    return { along, height: radius, angle, speed, climb: 0, spin }
  }
  const climb = state.climb - gravity * seconds
  const flying = {
    ...state,
    along: state.along + state.speed * seconds,
    height: state.height + ((state.climb + climb) / 2) * seconds,
    angle: state.angle + state.spin * seconds,
    climb,
  }
  if (flying.height > radius || climb > 0) return flying
  const rebound = -restitution * climb
  // A solid ball that grips the floor rolls on with what is left of its momentum and spin; a box loses its spin.
  const speed = isBall ? (5 * state.speed + 2 * radius * state.spin) / 7 : 0.7 * state.speed
  const spin = isBall ? speed / radius : 0
  return { ...flying, height: radius, speed, spin, climb: rebound < stays ? 0 : rebound }
}

/** An object's track of some frames, drawn by a random generator. */
export function drawObject(kind: ObjectKind, frames: number, random: Generator): EntityMotion {
  const between = (least: number, most: number) => least + (most - least) * random.rand(1)[0]
  const isBall = kind !== 'slide' && (kind !== 'carry' || between(0, 1) < 0.5)
  const radius = between(0.05, 0.2)
  const heading = between(-Math.PI, Math.PI)
  const [x, z] = [between(-1, 1), between(-1, 1)]
  const body: Body = {
    radius,
    isBall,
    restitution: kind === 'bounce' ? between(0.6, 0.85) : between(0.2, 0.4),
    friction: isBall ? between(0.01, 0.04) : between(0.15, 0.5),
  }
  const still: ObjectState = { along: 0, height: radius, angle: between(-3, 3), speed: 0, climb: 0, spin: 0 }
  let states: ObjectState[]
  if (kind === 'carry') {
    const held = carried(still, Math.round(frames * between(0.4, 0.8)), between(0.5, 1.4), between(0.7, 1.2))
    states = [...held, ...simulateObject(held[held.length - 1], body, frames - held.length + 1).slice(1)]
  } else {
    const start =
      kind === 'throw'
        ? { height: between(1, 1.8), speed: between(2, 5), climb: between(1, 4), spin: between(-8, 8) }
        : kind === 'bounce'
          ? { height: between(0.8, 2), speed: between(0.2, 1.2) }
          : { angle: isBall ? still.angle : 0, speed: between(0.8, 3) }
    states = simulateObject({ ...still, ...start }, body, frames)
  }
  const numbers = new Float32Array(frames * 3 * objectPoints)
  states.forEach((state, frame) => numbers.set(pointsOf(state, body, x, z, heading), frame * 3 * objectPoints))
  return { kind: 'object', numbers }
}

/** A hand that walks with an object, up and down twice a second, and has its speed when it lets go. */
function carried(still: ObjectState, frames: number, speed: number, height: number): ObjectState[] {
  const [sway, rhythm] = [0.03, 2 * Math.PI * 2]
  return Array.from({ length: Math.max(1, frames) }, (_, frame) => {
    const time = frame / motionFps
    const climb = sway * rhythm * Math.cos(rhythm * time)
    return { ...still, along: speed * time, height: height + sway * Math.sin(rhythm * time), speed, climb }
  })
}

/** The 21 points of an object: corners of its box, its centre, its contour, in the upright plane that it moves in. */
function pointsOf(
  { along, height, angle }: ObjectState,
  { radius, isBall }: Body,
  x: number,
  z: number,
  heading: number,
) {
  const count = objectPoints - 5
  const contour = Array.from({ length: count }, (_, i): [number, number] => {
    const turn = (2 * Math.PI * i) / count
    // Forward is clockwise for who sees the object go to the right.
    if (isBall) return [radius * Math.cos(turn - angle), radius * Math.sin(turn - angle)]
    const scale = radius / Math.max(Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn)))
    const [a, b] = [1.5 * scale * Math.cos(turn), scale * Math.sin(turn)]
    return [a, b]
  })
  const [least, most] = [0, 1].map(which => {
    const choose = which === 0 ? Math.min : Math.max
    return [0, 1].map(axis => choose(...contour.map(point => point[axis])))
  })
  const corners = [
    [least[0], least[1]],
    [most[0], least[1]],
    [most[0], most[1]],
    [least[0], most[1]],
  ]
  const [sine, cosine] = [Math.sin(heading), Math.cos(heading)]
  return [...corners, [0, 0], ...contour].flatMap(([a, b]) => [
    x + (along + a) * sine,
    height + b,
    z + (along + a) * cosine,
  ])
}
