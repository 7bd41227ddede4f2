// Draws a clip from its script, with everything that is known about it.

import type { BodyData } from '../../models/body/body-data.js'
import { labelsOfFaces } from '../../models/body/labels.js'
import { openHuman } from '../../models/body/open-human.js'
import { openQuadruped } from '../../models/body/open-quadruped.js'
import { vectorAt } from '../../models/body/quaternion.js'
import { bodyJoints } from '../../models/body/skeleton.js'
import { Skin } from '../../models/body/skin.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import type { EntityKind } from '../../models/pppm/kinds.js'
import { project, type Camera } from '../render/camera.js'
import { cover, dress } from './looks.js'
import type { Actor, ClipScript } from './script.js'
import { silhouette, solidFaces, solidVertices } from './solids.js'
import { Stage, type Surface } from './stage.js'

/** An actor as it is told in the clip's file. */
export interface ClipEntity {
  readonly kind: EntityKind
  /** [T]: of all motion frames. Objects: the 21 points that the camera sees. */
  readonly motion: EntityMotion
  readonly shape: Float32Array
  readonly label?: number
  /** [F x J x 3]: joints in the picture, x and y in pixels and depth in metres; 22 of people, 35 of animals. */
  readonly joints: Float32Array
  /** [F x J]: 1 where a joint is in the picture and nothing but its own flesh before it. */
  readonly visible: Uint8Array
}

export interface DrawnClip {
  /** [F x H x W x 3] and [F x H x W] */
  readonly frames: Uint8Array
  readonly labels: Uint8Array
  readonly entities: readonly ClipEntity[]
}

// What is drawn at a joint lies at most so far before it, metres: its own flesh.
const flesh = { human: 0.16, animal: 0.13, object: 0 } as const

/** An actor that can be drawn in any frame. */
interface Player {
  readonly surface: Omit<Surface, 'vertices'>
  /** Vertices in a motion frame. */
  readonly move: (frame: number) => Float32Array
  /** Joints in a motion frame, [J x 3]. */
  readonly joints: (frame: number) => Float32Array
}

/** Draws a clip. The same script gives the same bytes. */
export function drawClip(script: ClipScript): DrawnClip {
  const { frames: count, size, stride, camera, scenery, actors } = script
  const stage = new Stage(size, size, camera, scenery)
  const players = actors.map(playerOf)
  const area = size * size
  const frames = new Uint8Array(3 * count * area)
  const labels = new Uint8Array(count * area)
  const tracks = players.map(() => ({ joints: [] as number[], visible: [] as number[] }))
  for (let f = 0; f < count; f++) {
    const surfaces = players.map(({ surface, move }) => ({ ...surface, vertices: move(f * stride) }))
    const drawn = stage.draw(surfaces)
    frames.set(drawn.frame, 3 * f * area)
    labels.set(drawn.labels, f * area)
    players.forEach(({ joints }, i) => {
      const places = joints(f * stride)
      for (let joint = 0; joint < places.length / 3; joint++) {
        const [x, y, z] = project(camera, vectorAt(places, joint))
        const [column, row] = [Math.round(x), Math.round(y)]
        const isIn = z > 0 && Math.min(column, row) >= 0 && Math.max(column, row) < size
        tracks[i].joints.push(x, y, z)
        tracks[i].visible.push(Number(isIn && stage.depthAt(column, row) > z - flesh[actors[i].kind]))
      }
    })
  }
  const entities = actors.map((actor, i) => ({
    kind: actor.kind,
    motion: actor.kind === 'object' ? seenMotion(actor, camera) : actor.motion,
    shape: actor.kind === 'object' ? new Float32Array(0) : actor.shape,
    label: actor.kind === 'object' ? actor.label : undefined,
    joints: Float32Array.from(tracks[i].joints),
    visible: Uint8Array.from(tracks[i].visible),
  }))
  return { frames, labels, entities }
}

function playerOf(actor: Actor): Player {
  if (actor.kind === 'object') return thingOf(actor)
  const [body, shownJoints] = actor.kind === 'human' ? [openHuman(), bodyJoints] : [openQuadruped(), undefined]
  const skin = new Skin(body, actor.shape)
  const colours = actor.kind === 'human' ? dress(body, actor.look) : cover(body, actor.look)
  const width = numbersOf(actor.kind)
  const pose = (frame: number) => skin.pose(actor.motion.numbers.subarray(frame * width, (frame + 1) * width))
  return {
    surface: { faces: body.faces, ...facesOf(body, colours) },
    move: frame => skin.follow(pose(frame)),
    joints: frame => pose(frame).positions.subarray(0, shownJoints && 3 * shownJoints),
  }
}

function thingOf({ motion, solid, breadth, look, label }: Extract<Actor, { kind: 'object' }>): Player {
  const { faces, second } = solidFaces(solid)
  return {
    surface: {
      faces,
      colours: Uint8Array.from(second.flatMap(isSecond => (isSecond ? look.second : look.first))),
      labels: new Uint8Array(second.length).fill(label),
    },
    move: frame => solidVertices(solid, motion, frame, breadth),
    joints: () => new Float32Array(0),
  }
}

/** Each face's colour is the mean of its corners', its label that of most of them. */
function facesOf({ faces, labels }: BodyData, colours: Uint8Array): Pick<Surface, 'colours' | 'labels'> {
  const own = Uint8Array.from({ length: faces.length }, (_, i) => {
    const start = i - (i % 3)
    return (
      (colours[3 * faces[start] + (i % 3)] +
        colours[3 * faces[start + 1] + (i % 3)] +
        colours[3 * faces[start + 2] + (i % 3)]) /
      3
    )
  })
  return { colours: own, labels: labelsOfFaces({ faces, labels }) }
}

/** The 21 points that the camera sees of a solid in every frame of its motion. */
function seenMotion({ motion, solid, breadth }: Extract<Actor, { kind: 'object' }>, camera: Camera): EntityMotion {
  const width = numbersOf('object')
  const numbers = new Float32Array(motion.numbers.length)
  for (let frame = 0; frame < numbers.length / width; frame++)
    numbers.set(silhouette(solidVertices(solid, motion, frame, breadth), camera), frame * width)
  return { kind: 'object', numbers }
}
