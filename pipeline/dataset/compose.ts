// Composes clips: who acts, how, dressed in what, seen from where. Everything follows from the seed and the clip's index.

import type { BodyData } from '../../models/body/body-data.js'
import { humanShape, openHuman } from '../../models/body/open-human.js'
import { openQuadruped, quadrupedShape } from '../../models/body/open-quadruped.js'
import { vectorAt, type Vector } from '../../models/body/quaternion.js'
import { bodyJoints } from '../../models/body/skeleton.js'
import { Skin } from '../../models/body/skin.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { Generator } from '../../tensor/index.js'
import { drawGait, gaitKinds } from '../../train/motion/gaits.js'
import { drawObject, objectKinds, type ObjectKind } from '../../train/motion/objects.js'
import { personOf } from '../../train/motion/scene-file.js'
import type { Take } from '../../train/motion/library.js'
import { orbit, project, type Camera } from '../render/camera.js'
import { firstObjectLabel } from '../scene/scene.js'
import { article, doingOf } from './doing.js'
import { Draws } from './draws.js'
import { drawAnimalLook, drawObjectLook, drawPersonLook } from './looks.js'
import { placed, windowOf } from './placing.js'
import { drawScenery } from './scenery.js'
import type { Actor, ClipFormat, ClipScript } from './script.js'
import { isRound } from './solids.js'

// Who acts, and how often: shares that add up to 1.
const casts = [
  { share: 0.62, cast: ['human'] },
  { share: 0.14, cast: ['human', 'object'] },
  { share: 0.08, cast: ['human', 'human'] },
  { share: 0.1, cast: ['animal'] },
  { share: 0.06, cast: ['object'] },
] as const

const objectWords: Readonly<Record<ObjectKind, string>> = {
  throw: 'is thrown',
  bounce: 'bounces',
  roll: 'rolls',
  slide: 'slides',
  carry: 'is carried and let go',
}
const gaitWords = { walk: 'walking', trot: 'trotting', gallop: 'galloping' } as const

/** An actor, with what is said of it and the points of it that are to be seen, [N x 3] a frame of its motion. */
interface Part {
  readonly actor: Actor
  readonly words: string
  readonly source: string
  readonly points: (frame: number) => ArrayLike<number>
}

/** Where an actor begins, and which way it is turned. */
interface Place {
  readonly x: number
  readonly z: number
  readonly heading: number
}

/** The script of clip number `index`; `takes` are those of a library that are as long as a clip needs. */
export function composeClip(takes: readonly Take[], seed: number, index: number, format: ClipFormat): ClipScript {
  // Seeds are 32 bits: clips of neighbouring seeds have nothing in common.
  const draws = new Draws(new Generator((Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0))
  const stride = draws.pick([2, 2, 3])
  const length = (format.frames - 1) * stride + 1
  const scenery = drawScenery(draws)
  const yaw = draws.between(-Math.PI, Math.PI)
  const cast = castOf(draws)
  const people = cast.flatMap((kind, i) => {
    if (kind === 'object') return []
    const place = placeOf(draws, i, yaw)
    return [kind === 'human' ? drawPerson(draws, takes, length, place) : drawAnimal(draws, length, place)]
  })
  // A thing alone goes no farther than it can be seen well.
  const kinds = people.length > 0 ? objectKinds : (['bounce', 'roll', 'slide'] as const)
  const thing = (i: number) => drawThing(draws, kinds, length, thingPlace(draws, i, yaw))
  // The camera looks at people and animals; things are looked for that it sees.
  const shown = people.length > 0 ? people : [thing(0)]
  const camera = cameraFor(draws, shown, length, format.size, yaw)
  const others = cast.flatMap((kind, i) =>
    kind === 'object' && i > 0 ? [seenThing(() => thing(i), camera, length)] : [],
  )
  const parts = [...shown, ...others]
  return {
    ...format,
    index,
    seed,
    stride,
    camera,
    scenery,
    actors: parts.map(({ actor }) => actor),
    caption: parts.map(({ words }) => words).join(', '),
    sources: parts.map(({ source }) => source),
  }
}

function castOf(draws: Draws): readonly Actor['kind'][] {
  let left = draws.between(0, 1)
  return (casts.find(({ share }) => (left -= share) < 0) ?? casts[0]).cast
}

/** The first is in the middle; others stand beside it as the camera sees it, a little before or behind. */
function placeOf(draws: Draws, i: number, yaw: number): Place {
  const heading = draws.between(-Math.PI, Math.PI)
  if (i === 0) return { x: 0, z: 0, heading }
  const [aside, back] = [draws.pick([-1, 1]) * draws.between(0.6, 1.1), draws.between(-0.5, 0.5)]
  return {
    x: aside * Math.cos(yaw) - back * Math.sin(yaw),
    z: -aside * Math.sin(yaw) - back * Math.cos(yaw),
    heading,
  }
}

/** A thing goes across the view rather than along it. */
function thingPlace(draws: Draws, i: number, yaw: number): Place {
  const heading = yaw + Math.PI / 2 + draws.pick([0, Math.PI]) + draws.normal(0.8)
  return { ...placeOf(draws, i, yaw), heading }
}

// A thing is in the picture for so much of the time, or the best of so many is taken.
const enough = 0.7
const tries = 8

function seenThing(draw: () => Part, camera: Camera, length: number): Part {
  let best: { part: Part; share: number } | undefined
  for (let i = 0; i < tries && !(best && best.share >= enough); i++) {
    const part = draw()
    const share = shareSeen(pointsOf([part], length), camera, 0)
    if (!best || share > best.share) best = { part, share }
  }
  return best!.part
}

function drawPerson(draws: Draws, takes: readonly Take[], length: number, { x, z, heading }: Place): Part {
  const take = draws.pick(takes)
  const shape = Float32Array.from({ length: humanShape.length }, () => draws.normal(2))
  const skin = new Skin(openHuman(), shape)
  // Who has longer legs goes farther with each step, and no foot slides.
  const scale = skin.standing / standing(openHuman())
  const start = lively(draws, take, length)
  const motion = placed(windowOf(personOf(take), start, length), x, z, heading, scale)
  const { look, words } = drawPersonLook(draws)
  return {
    actor: { kind: 'human', motion, shape, look },
    words: `a person in ${words} ${doingOf(take.text)}`,
    source: take.name,
    points: frame => skin.pose(frameOf(motion, frame)).positions.subarray(0, 3 * bodyJoints),
  }
}

function drawAnimal(draws: Draws, length: number, { x, z, heading }: Place): Part {
  const gait = draws.pick(gaitKinds)
  const shape = Float32Array.from({ length: quadrupedShape.length }, () => draws.normal(2))
  const skin = new Skin(openQuadruped(), shape)
  const scale = skin.standing / standing(openQuadruped())
  const motion = placed(drawGait(gait, length, draws.generator), x, z, heading, scale)
  const { look, words } = drawAnimalLook(draws)
  return {
    actor: { kind: 'animal', motion, shape, look },
    words: `${article(words)} dog is ${gaitWords[gait]}`,
    source: gait,
    points: frame => skin.pose(frameOf(motion, frame)).positions,
  }
}

function drawThing(draws: Draws, kinds: readonly ObjectKind[], length: number, { x, z, heading }: Place): Part {
  const kind = draws.pick(kinds)
  const track = drawObject(kind, length, draws.generator)
  // Its points lie in the plane that it moves in, which is turned so that it goes where the place says.
  const motion = placed(track, x, z, heading - headingOf(track))
  const solid = isRound(track) ? draws.pick(['ball', 'ball', 'drum'] as const) : 'box'
  const breadth = solid === 'ball' ? 1 : draws.between(0.5, 1.3)
  const { look, words } = drawObjectLook(draws)
  return {
    actor: { kind: 'object', motion, solid, breadth, look, label: firstObjectLabel },
    words: `${article(words)} ${solid} ${objectWords[kind]}`,
    source: kind,
    points: frame => motion.numbers.subarray(frame * numbersOf('object'), (frame + 1) * numbersOf('object')),
  }
}

const standings = new WeakMap<BodyData, number>()

/** How high a body of the middle shape stands, metres. */
function standing(body: BodyData): number {
  const known = standings.get(body) ?? new Skin(body).standing
  standings.set(body, known)
  return known
}

/** Which way an object's plane is turned: from the left to the right corner of its box. */
function headingOf({ numbers }: EntityMotion): number {
  return Math.atan2(numbers[3] - numbers[0], numbers[5] - numbers[2])
}

function frameOf({ kind, numbers }: EntityMotion, frame: number): Float32Array {
  const width = numbersOf(kind)
  return numbers.subarray(frame * width, (frame + 1) * width)
}

/** Of three places in a take, that where most is moved. */
function lively(draws: Draws, { frames, poses, trans }: Take, length: number): number {
  const starts = Array.from({ length: 3 }, () => draws.below(frames - length + 1))
  const moved = (list: Float32Array, start: number) => {
    const width = list.length / frames
    let sum = 0
    for (let at = start * width; at < (start + length - 1) * width; at++) sum += Math.abs(list[at + width] - list[at])
    return sum
  }
  const scores = starts.map(start => moved(poses, start) + 5 * moved(trans, start))
  return starts[scores.indexOf(Math.max(...scores))]
}

/**
 * A camera that stands still and from which nearly all of the points are in the picture: as near as that allows, or up
 * to a quarter farther.
 */
function cameraFor(draws: Draws, parts: readonly Part[], length: number, size: number, yaw: number): Camera {
  const points = pointsOf(parts, length)
  const span = (axis: number) => {
    const values = points.map(point => point[axis])
    return [Math.min(...values), Math.max(...values)]
  }
  const isObject = parts.every(({ actor }) => actor.kind === 'object')
  // Joints are inside bodies: the top of a head is above the last of them.
  const target = [0, 1, 2].map(axis => (span(axis)[0] + span(axis)[1]) / 2 + (axis === 1 ? 0.06 : 0))
  const aside = draws.normal(1) * 0.12
  const at: Vector = [
    target[0] + aside * Math.cos(yaw),
    Math.max(0.25, target[1] + 0.05 * draws.normal(1)),
    target[2] - aside * Math.sin(yaw),
  ]
  const pitch = draws.between(-0.04, 0.4)
  const focal = draws.between(1.1, 2.2) * size
  const lens = { width: size, height: size, focal }
  const needed = isObject ? 0.85 : 0.98
  let distance = 0.8
  while (distance < 14 && shareSeen(points, orbit(at, { yaw, pitch, distance }, lens), 0.07 * size) < needed)
    distance *= 1.06
  return orbit(at, { yaw, pitch, distance: distance * draws.between(1, 1.25) }, lens)
}

/** Points of actors over all of a clip, every third frame. */
function pointsOf(parts: readonly Part[], length: number): Vector[] {
  const frames = Array.from({ length: Math.ceil(length / 3) }, (_, i) => 3 * i)
  return parts.flatMap(({ points }) =>
    frames.flatMap(frame => {
      const list = points(frame)
      return Array.from({ length: list.length / 3 }, (_, i) => vectorAt(list, i))
    }),
  )
}

/** The share of points that a camera sees at least `margin` pixels inside its picture. */
function shareSeen(points: readonly Vector[], camera: Camera, margin: number): number {
  const [width, height] = camera.centre.map(middle => 2 * middle)
  const seen = points.filter(point => {
    const [x, y, z] = project(camera, point)
    return z > 0.3 && Math.min(x, y) > margin && x < width - margin && y < height - margin
  })
  return seen.length / points.length
}
