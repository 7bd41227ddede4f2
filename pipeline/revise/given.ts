// A motion that is given instead of seen: put where the picture shows somebody of its kind, or before a camera of its
// own.

import { decodeEntity, encodeEntity, numbersOf, viewpointOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { UsageError } from '../../tensor/index.js'
import { motionFps } from '../../train/motion/motion.js'
import { sceneFrames } from '../../train/motion/scene-file.js'
import { orbit, type Camera } from '../render/camera.js'
import { entityPoints } from '../scene/entity-points.js'
import { labelled, type Scene, type SceneEntity } from '../scene/scene.js'
import { motionAt } from './retime.js'

/** Entities over the same frames, `motionFps` a second; or a scene, which has a rate and a camera of its own. */
export type GivenMotion = readonly EntityMotion[] | Scene

/** The video that it is for. */
export interface GivenFrame {
  readonly width: number
  readonly height: number
  readonly frames: number
  readonly fps: number
}

// Of sides: proportions that differ less are alike.
const alike = 0.02
// A common lens, and how much of the picture is left free around a motion.
const lens = 1.15
const margin = 1.3

function isScene(given: GivenMotion): given is Scene {
  return 'camera' in given
}

/** Frames of the video that a motion lasts for. */
export function framesShown(given: GivenMotion, { frames, fps }: GivenFrame): number {
  const [count, rate] = isScene(given) ? [given.frames, given.fps] : [sceneFrames(given), motionFps]
  return Math.min(frames, Math.floor(((count - 1) / rate) * fps + 1e-6) + 1)
}

/**
 * The part of a motion that the video shows, as a scene of `motionFps` frames a second.
 *
 * @param seen what the picture shows, in one frame
 * @throws UsageError for a scene of other proportions than the video's
 */
export function sceneOfGiven(given: GivenMotion, seen: Scene | undefined, video: GivenFrame): Scene {
  const { width, height, fps } = video
  const count = Math.round(((framesShown(given, video) - 1) / fps) * motionFps) + 1
  const rate = isScene(given) ? given.fps : motionFps
  const moments = Array.from({ length: count }, (_, i) => (i * rate) / motionFps)
  const frame = { width, height, frames: count, fps: motionFps }
  const confidence = new Float32Array(count).fill(1)
  if (isScene(given)) {
    const entities = given.entities.map(entity => ({ ...entity, motion: motionAt(entity.motion, moments), confidence }))
    return { ...frame, camera: scaledCamera(given, video), depth: given.depth, entities }
  }
  const motions = given.map(motion => motionAt(motion, moments))
  const [first] = motions
  const model = seen?.entities.find(({ kind, confidence }) => kind === first.kind && confidence[0] > 0)
  const [from, to] = [viewpointOf(first), viewpointOf(model?.motion ?? first)]
  const placed = motions.map(({ kind, ...motion }) => decodeEntity(kind, encodeEntity({ kind, ...motion }, from), to))
  const counts = { human: 0, animal: 0, object: 0 }
  const named = placed.map((motion): SceneEntity => {
    const { kind } = motion
    const place = counts[kind]++
    const alike = seen?.entities.filter(entity => entity.kind === kind)[place]
    return {
      id: `${kind}-${place + 1}`,
      kind,
      name: alike?.name ?? (kind === 'human' ? 'person' : kind),
      motion,
      shape: alike?.shape ?? new Float32Array(),
      label: kind === 'object' ? alike?.label : undefined,
      confidence,
    }
  })
  const camera = model && seen ? seen.camera : facingCamera(placed, width, height)
  return { ...frame, camera, depth: seen?.depth ?? 'ground contact', entities: labelled(named) }
}

/** A camera that sees a motion from its front, whole. */
function facingCamera(motions: readonly EntityMotion[], width: number, height: number): Camera {
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (const motion of motions)
    for (let frame = 0; frame < motion.numbers.length / numbersOf(motion.kind); frame++)
      entityPoints(motion, frame).forEach((value, i) => {
        low[i % 3] = Math.min(low[i % 3], value)
        high[i % 3] = Math.max(high[i % 3], value)
      })
  const [x, y, z] = [0, 1, 2].map(axis => (low[axis] + high[axis]) / 2)
  const sizes = low.map((value, axis) => high[axis] - value)
  const across = Math.max(sizes[0], sizes[2])
  const focal = lens * Math.max(width, height)
  // A body at rest is not much of a size; nothing is looked at from nearer than this.
  const distance = Math.max(2, margin * focal * Math.max(across / width, sizes[1] / height) + across / 2)
  const { heading } = viewpointOf(motions[0])
  return orbit([x, y, z], { yaw: heading, pitch: 0.1, distance }, { width, height, focal })
}

/** The camera of a scene for a video of another size. */
function scaledCamera(scene: Scene, { width, height }: GivenFrame): Camera {
  const [across, down] = [width / scene.width, height / scene.height]
  if (Math.abs(across / down - 1) > alike)
    throw new UsageError({
      where: 'motion',
      what: 'a scene of other proportions than the video',
      expected: `${width} x ${height} or alike`,
      got: `${scene.width} x ${scene.height}`,
    })
  const { focal, centre, ...place } = scene.camera
  const scaled = ([x, y]: readonly [number, number]) => [(x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5] as const
  return { ...place, focal: focal * across, centre: scaled(centre) }
}
