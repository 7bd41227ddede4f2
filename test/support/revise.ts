// Tools of the second stage that need no network: what a test says is seen, and parts drawn as squares; and a motion
// prior of random weights.

import { formatPPPMConfig, PPPM, type EntityMotion } from '../../models/index.js'
import type { LabelMap, Picture } from '../../models/svd/picture.js'
import { initializeWeights, saveWeights } from '../../nn/index.js'
import type { ReviseTools } from '../../pipeline/revise/events.js'
import { motionAt, evenPlaces } from '../../pipeline/revise/retime.js'
import { orbit, project } from '../../pipeline/render/camera.js'
import { entityPoints } from '../../pipeline/scene/entity-points.js'
import type { Scene, SceneEntity } from '../../pipeline/scene/scene.js'
import { Generator, type Runtime } from '../../tensor/index.js'
import { sceneFrames } from '../../train/motion/scene-file.js'

/** A scene of motions, seen from two metres above the floor. */
export function sceneOf(motions: readonly EntityMotion[], width: number, height: number, fps: number): Scene {
  const frames = sceneFrames(motions)
  const size = { width, height, focal: Math.max(width, height) }
  return {
    ...{ width, height, frames, fps },
    camera: orbit([0, 1, 0], { yaw: 0.4, pitch: 0.2, distance: 5 }, size),
    depth: 'ground contact',
    entities: motions.map((motion, i): SceneEntity => {
      const { kind } = motion
      const label = kind === 'object' ? 41 + i : undefined
      const confidence = new Float32Array(frames).fill(1)
      return { id: `${kind}-${i + 1}`, kind, name: kind, motion, shape: new Float32Array(), label, confidence }
    }),
  }
}

/** Tools that see the given motions in any video, from its first frame to its last; `asked` counts the videos. */
export function seeing(motions: readonly EntityMotion[]): ReviseTools & { readonly asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    name: 'of a test',
    openExtractor: () =>
      Promise.resolve({
        [Symbol.dispose]: () => undefined,
        extract: (frames: readonly Picture[], { fps = 7 } = {}) => {
          asked.push(frames.length)
          const [{ width, height }] = frames
          const places = evenPlaces(frames.length, Math.max(0, sceneFrames(motions) - 1))
          const seen = motions.map(motion => motionAt(motion, places))
          return Promise.resolve({ ...sceneOf(seen, width, height, fps), frames: frames.length })
        },
      }),
    async *drawMasks(_, scene) {
      for (let frame = 0; frame < scene.frames; frame++)
        yield { labels: await Promise.resolve(drawPoints(scene, frame)), confidence: 1 }
    },
    drawOverlay: picture => picture,
  }
}

/** Three pixels square about each point, labelled by its number. */
function drawPoints({ width, height, camera, entities }: Scene, frame: number): LabelMap {
  const data = new Uint8Array(width * height)
  for (const { motion } of entities) {
    const points = entityPoints(motion, frame)
    for (let i = 0; i < points.length / 3; i++) {
      const [x, y] = project(camera, [points[3 * i], points[3 * i + 1], points[3 * i + 2]]).map(Math.round)
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++)
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++)
          data[row * width + column] = 1 + (i % 24)
    }
  }
  return { width, height, data }
}

/** Writes a prior that knows of one entity of each kind at a time. */
export async function writePrior(path: string, runtime: Runtime): Promise<void> {
  const config = { width: 32, layers: 1, heads: 2, textChannels: 12, maxEntities: 1 }
  const model = new PPPM(config)
  initializeWeights(runtime, model.weights, new Generator(1))
  await saveWeights(path, model.weights, { metadata: { config: formatPPPMConfig(config) } })
  model.dispose()
}
