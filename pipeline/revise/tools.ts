// What the second stage works with, unless somebody brings tools of their own.

import { sceneMasks } from '../control/scene-masks.js'
import { orbit } from '../render/camera.js'
import { drawOverlay } from '../render/overlay.js'
import type { ReviseTools } from './events.js'

/** The tools that come with the program. */
export function reviseTools(): ReviseTools {
  return {
    openExtractor: () =>
      Promise.resolve({
        extract(frames, { fps = 7 } = {}) {
          const [{ width, height }] = frames
          const size = { width, height, focal: Math.max(width, height) }
          const camera = orbit([0, 1, 0], { yaw: 0, pitch: 0.1, distance: 4 }, size)
          const depth = 'ground contact'
          return Promise.resolve({ width, height, frames: frames.length, fps, camera, depth, entities: [] })
        },
      }),
    drawMasks: sceneMasks,
    drawOverlay,
  }
}
