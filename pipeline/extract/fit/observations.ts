// What is seen of a body over the frames of a video: points in the pictures, and in space where a detector tells them.

import { ShapeError, UsageError } from '../../../tensor/index.js'
import type { Figure } from './figure.js'

/** A point of a body in one frame. */
export interface SeenPoint {
  /** Pixels. */
  readonly pixel?: readonly [x: number, y: number]
  /**
   * Metres against any point of the body, the same for all points of a frame: x to the right of the picture, y down, z
   * away from the camera.
   */
  readonly point?: readonly [x: number, y: number, z: number]
  /** 0..1: how far it is trusted. */
  readonly confidence: number
}

/** The points of a frame by the names of the figure's nodes; nothing where the body was not seen. */
export type SeenFrame = Readonly<Record<string, SeenPoint>>

/** The same as numbers for K nodes over T frames. */
export interface Observations {
  readonly frames: number
  /** [T x K x 2] pixels, and [T x K]: trust in each, 0 where there is none. */
  readonly pixels: Float32Array
  readonly pixelTrust: Float32Array
  /** [T x K x 3] metres, and trust. */
  readonly points: Float32Array
  readonly pointTrust: Float32Array
}

/** As many frames are fitted in one go at most. */
export const mostFrames = 1024

/**
 * Numbers of what was seen. Throws a UsageError for no or too many frames, or if nothing of it is a point of the figure;
 * a ShapeError for numbers that are not finite.
 */
export function observationsOf(figure: Figure, seen: readonly SeenFrame[]): Observations {
  const [frames, nodes] = [seen.length, figure.names.length]
  if (frames < 1 || frames > mostFrames)
    throw new UsageError({
      where: 'fit',
      what: 'so many frames cannot be fitted',
      expected: `1..${mostFrames}`,
      got: String(frames),
    })
  const pixels = new Float32Array(frames * nodes * 2)
  const points = new Float32Array(frames * nodes * 3)
  const [pixelTrust, pointTrust] = [new Float32Array(frames * nodes), new Float32Array(frames * nodes)]
  seen.forEach((frame, t) =>
    figure.names.forEach((name, node) => {
      const at = t * nodes + node
      const { pixel, point, confidence } = frame[name] ?? { confidence: 0 }
      if (![confidence, ...(pixel ?? []), ...(point ?? [])].every(value => Math.abs(value) < 1e6))
        throw new ShapeError({ where: `frame ${t}, ${name}`, what: 'a point that is no finite number' })
      const trust = Math.min(1, Math.max(0, confidence))
      if (pixel) {
        pixels.set(pixel, 2 * at)
        pixelTrust[at] = trust
      }
      if (point) {
        points.set(point, 3 * at)
        pointTrust[at] = trust
      }
    }),
  )
  if (!pixelTrust.some(trust => trust > 0))
    throw new UsageError({
      where: 'fit',
      what: 'nothing to fit to',
      expected: `points such as ${figure.names.slice(0, 3).join(', ')}`,
      got: Object.keys(seen[0]).slice(0, 3).join(', ') || 'none',
    })
  return { frames, pixels, pixelTrust, points, pointTrust }
}
