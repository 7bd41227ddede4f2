// Depth without a network: whatever stands on the floor is where its lowest point is seen, once it is known how high
// the camera is and how far it looks down; and that is told by how tall people and things look at different places.
// (Hoiem et al., "Putting Objects in Perspective", 2006, puts it so.)

import type { Vector } from '../../models/body/quaternion.js'
import { project, unproject, type Camera } from '../render/camera.js'
import type { Box, Track } from './detection.js'
import { usualLens } from './fit/fit.js'
import { commonHeight, type Height } from './heights.js'

// Cameras are commonly held so high, metres, and look down so far, radians.
const usualHeight = { metres: 1.4, spread: 0.45 }
const usualPitch = { mean: 0.1, deviation: 0.15 }

// Poses make boxes lower or higher than their owners are tall: the deviation of the logarithm.
const posture = 0.12
// What stands above the horizon, or what fits the rest this badly, costs so much and no more.
const worst = 9
// Of a track no more detections count than so many: neighbouring frames say the same.
const most = 4

/** A camera above the origin that looks against z and down by `pitch` radians. */
export function standingCamera(height: number, pitch: number, lens: Pick<Camera, 'focal' | 'centre'>): Camera {
  const [sine, cosine] = [Math.sin(pitch), Math.cos(pitch)]
  const axes: Camera['axes'] = [
    [1, 0, 0],
    [0, -cosine, sine],
    [0, -sine, -cosine],
  ]
  return { position: [0, height, 0], axes, ...lens }
}

/** How far along the camera's view the floor is at a pixel, metres; undefined on the horizon and above. */
export function floorDepth(camera: Camera, x: number, y: number): number | undefined {
  const height = camera.position[1]
  const fall = height - unproject(camera, [x, y, 1])[1]
  // Beyond a hundred times the camera's height a pixel's place says nothing.
  return fall > 0.01 * height ? height / fall : undefined
}

/** Whether a box shows the lowest point of what is in it: it is not cut off by the picture's lower edge. */
export function showsFeet({ bottom }: Box, height: number): boolean {
  return bottom < height - 1 - 0.01 * height
}

/** How far away something is by the place where it stands; undefined if that is not seen. */
export function contactDepth(camera: Camera, box: Box, height: number): number | undefined {
  return showsFeet(box, height) ? floorDepth(camera, (box.left + box.right) / 2, box.bottom) : undefined
}

interface Stick {
  readonly box: Box
  readonly tall: Height | undefined
  readonly weight: number
}

/**
 * The camera that makes people, animals and things about as tall as they commonly are, standing on one floor; the usual
 * one as far as they tell nothing.
 */
export function cameraOfTracks(
  tracks: readonly Track[],
  { width, height }: { readonly width: number; readonly height: number },
): Camera {
  const lens = usualLens(width, height)
  const sticks = tracks.flatMap(({ detections, name }): Stick[] => {
    const seen = detections.filter(detection => detection !== undefined)
    const whole = seen.filter(({ box }) => box.top > 0.005 * height && showsFeet(box, height))
    const every = Math.ceil(whole.length / 16)
    const chosen = whole.filter((_, i) => i % every === 0)
    const weight = Math.min(1, most / chosen.length)
    return chosen.map(({ box }) => ({ box, tall: commonHeight(name), weight }))
  })
  const cost = (metres: number, pitch: number): number => {
    const camera = standingCamera(metres, pitch, lens)
    const own =
      (Math.log(metres / usualHeight.metres) / usualHeight.spread) ** 2 +
      ((pitch - usualPitch.mean) / usualPitch.deviation) ** 2
    return sticks.reduce((sum, stick) => sum + stick.weight * misfit(camera, stick), own)
  }
  // A coarse look everywhere, then ever closer around the best.
  let best = { metres: usualHeight.metres, pitch: usualPitch.mean }
  let [reach, slope] = [1.2, 0.6]
  for (let round = 0; round < 6; round++) {
    const middle = best
    for (let i = -6; i <= 6; i++)
      for (let j = -6; j <= 6; j++) {
        const trial = { metres: middle.metres * Math.exp((i * reach) / 6), pitch: middle.pitch + (j * slope) / 6 }
        if (Math.abs(trial.pitch) < 1.4 && cost(trial.metres, trial.pitch) < cost(best.metres, best.pitch)) best = trial
      }
    reach /= 3
    slope /= 3
  }
  return standingCamera(best.metres, best.pitch, lens)
}

/** How badly what stands somewhere fits a camera: the square of the deviation, bounded. */
function misfit(camera: Camera, { box, tall }: Stick): number {
  const x = (box.left + box.right) / 2
  const depth = floorDepth(camera, x, box.bottom)
  if (depth === undefined) return worst
  if (!tall) return 0
  const foot = unproject(camera, [x, box.bottom, depth])
  const head: Vector = [foot[0], foot[1] + tall.metres, foot[2]]
  const [, y, front] = project(camera, head)
  if (!(front > 0) || !(box.bottom > y)) return worst
  const ratio = Math.log((box.bottom - box.top) / (box.bottom - y))
  return Math.min(worst, ratio ** 2 / (tall.spread ** 2 + posture ** 2))
}
