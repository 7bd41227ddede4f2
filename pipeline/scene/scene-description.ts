// What a scene's JSON file says: all of the scene but its long lists of numbers.

import type { Vector } from '../../models/body/quaternion.js'
import { ConfigReader } from '../../models/config-reader.js'
import { entityKinds } from '../../models/pppm/kinds.js'
import { labelCount, maxPixels } from '../../models/svd/picture.js'
import { dot, normalOf, type Camera } from '../render/camera.js'
import { depthSources, firstObjectLabel, type Scene, type SceneEntity } from './scene.js'

const sceneFileVersion = 1

/** Bytes of the longest JSON file. */
export const mostText = 2 ** 20

/** What a scene file may hold at most, so that a small file cannot ask for much memory. */
export const sceneLimits = {
  frames: 16384,
  entities: 64,
  side: 65535,
  /** Of masks, over all frames. */
  pixels: 2 ** 30,
  /** Coefficients of a body's shape. */
  shape: 512,
  /** Of any number: metres, radians, pixels. */
  largest: 1e6,
} as const

type EntityDescription = Pick<SceneEntity, 'id' | 'kind' | 'name' | 'label'> & {
  /** How many coefficients its shape has. */
  readonly shape: number
}

export interface SceneDescription extends Omit<Scene, 'entities' | 'masks'> {
  readonly entities: readonly EntityDescription[]
  /** Whether there are masks. */
  readonly masks: boolean
  /** The safetensors file in the same folder. */
  readonly numbers: string
}

/** The JSON of a scene whose numbers are in the named file. */
export function describeScene(scene: Scene, numbers: string): object {
  const { width, height, frames, fps, depth, camera, entities, masks } = scene
  const { position, axes, focal, centre } = camera
  return {
    version: sceneFileVersion,
    width,
    height,
    frames,
    fps,
    depth,
    camera: { position, right: axes[0], down: axes[1], forward: axes[2], focal, centre },
    entities: entities.map(({ id, kind, name, label, shape }) => ({ id, kind, name, label, shape: shape.length })),
    masks: masks !== undefined,
    numbers,
  }
}

/** Reads such a JSON text; throws a FileError that tells all that is wrong. */
export function readDescription(where: string, text: string): SceneDescription {
  const reader = new ConfigReader(where, text, { kind: 'scene' })
  reader.oneOf('version', [sceneFileVersion])
  // Of a file of another version nothing else is known.
  reader.finish()
  const description: SceneDescription = {
    width: reader.integer('width', { max: sceneLimits.side }),
    height: reader.integer('height', { max: sceneLimits.side }),
    frames: reader.integer('frames', { max: sceneLimits.frames }),
    fps: reader.number('fps', { min: 0.01, max: 1000 }),
    depth: reader.word('depth', depthSources),
    camera: readCamera(reader.object('camera')),
    entities: reader.objects('entities', sceneLimits.entities).map(readEntity),
    masks: reader.flag('masks', false),
    numbers: reader.text('numbers', 255),
  }
  const { width, height, frames, entities, masks, numbers } = description
  const isBeside = /^[^/\\:\0]+\.safetensors$/.test(numbers)
  reader.check(isBeside, 'numbers', 'the name of a safetensors file in the same folder', numbers)
  const most = Math.min(maxPixels, masks ? sceneLimits.pixels / frames : maxPixels)
  reader.check(width * height <= most, 'width x height', `at most ${Math.floor(most)}`, width * height)
  const ids = entities.map(({ id }) => id)
  reader.check(new Set(ids).size === ids.length, 'entities', 'of different ids', ids)
  reader.finishClosed()
  return description
}

function readCamera(reader: ConfigReader): Camera {
  const bounds = { min: -sceneLimits.largest, max: sceneLimits.largest }
  const vector = (name: string, range: { min: number; max: number }) =>
    reader.numbers(name, 3, range) as unknown as Vector
  const axes = ['right', 'down', 'forward'].map(name => vector(name, { min: -1.01, max: 1.01 }))
  const areRight = axes.map((axis, i) => {
    const next = axes[(i + 1) % 3]
    return Math.abs(dot(axis, axis) - 1) < 0.01 && Math.abs(dot(axis, next)) < 0.01
  })
  for (const [i, name] of ['right', 'down', 'forward'].entries())
    reader.check(areRight[i], name, '1 long and across to the other axes', axes[i])
  // A mirrored camera would take everybody's left for the right.
  const [right, down, forward] = axes
  const isMirrored = areRight.every(Boolean) && dot(normalOf(right, down), forward) < 0
  reader.check(!isMirrored, 'forward', 'away from who looks, as z is with x right and y down', forward)
  const camera = {
    position: vector('position', bounds),
    axes: axes as unknown as Camera['axes'],
    focal: reader.number('focal', { min: 1e-3, max: sceneLimits.largest }),
    centre: reader.numbers('centre', 2, bounds) as unknown as Camera['centre'],
  }
  reader.close()
  return camera
}

function readEntity(reader: ConfigReader): EntityDescription {
  const [id, kind] = [reader.text('id', 64), reader.word('kind', entityKinds)]
  reader.check(/^[a-z][a-z0-9-]*$/.test(id), 'id', 'small letters, digits and dashes', id)
  const label = reader.optionalInteger('label', { min: firstObjectLabel, max: labelCount - 1 })
  reader.check(label === undefined || kind === 'object', 'label', 'absent: bodies have labels of their own', label)
  const shape = reader.integer('shape', { min: 0, max: sceneLimits.shape })
  const name = reader.text('name', 64)
  reader.close()
  return { id, kind, name, ...(label !== undefined && { label }), shape }
}
