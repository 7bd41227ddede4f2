// Networks like HMR2 (shubham-goel/4D-Humans): SMPL's parameters of a person in a box. In: image [1,3,S,S], ImageNet's
// normalisation. Out: global_orient [1,1,3,3] and body_pose [1,23,3,3], rotation matrices; betas [1,10]; pred_cam [1,3]:
// scale and place of the body in the square.

import { fromMatrix, toAxisAngle, vectorAt, type Vector } from '../../../models/body/quaternion.js'
import { poseJoints } from '../../../models/body/kinematics.js'
import { bodyJointNames, bodyJoints, jointParents, restJoints } from '../../../models/body/skeleton.js'
import type { Picture } from '../../../models/svd/picture.js'
import type { Detection, Keypoint } from '../detection.js'
import { cocoKeypoints } from '../keypoints.js'
import type { PoseNetwork } from './posed-detector.js'
import { openOnnx, type OnnxNetwork, type OnnxOptions } from './session.js'
import { imageNet, look, outOfWindow, windowAround } from './window.js'

const turns = 24
const larger = 1.2
const certainty = 0.6
// SMPL's pelvis is not at its origin, from which pred_cam tells where the body is: metres, of the mean neutral body.
const pelvis: Vector = [-0.0022, -0.2408, 0.0286]

export interface HmrOptions extends OnnxOptions {
  /** Pixels on a side that the network takes. Default: 256. */
  readonly size?: number
}

/** Guesses whole poses of people, and tells joints in space by them. */
export class HmrPose implements PoseNetwork {
  private constructor(
    private readonly network: OnnxNetwork,
    private readonly size: number,
  ) {}

  /** Errors: as `openOnnx`. */
  static async open(file: string | Uint8Array, { size = 256, ...options }: HmrOptions = {}): Promise<HmrPose> {
    return new HmrPose(await openOnnx(file, 'image', options), size)
  }

  /**
   * The detection with the pose and, of the open body in that pose, joints in space. Keypoints that were there keep
   * their place in the picture; those that were not get the one that the body has.
   */
  async see(picture: Picture, detection: Detection): Promise<Detection> {
    if (detection.kind !== 'human') return detection
    const { size } = this
    const window = windowAround(detection.box, { width: size, height: size }, larger)
    const { global_orient, body_pose, betas, pred_cam } = await this.network.run(look(picture, window, imageNet), {
      global_orient: [1, 1, 3, 3],
      body_pose: [1, turns - 1, 3, 3],
      betas: [1, 10],
      pred_cam: [1, 3],
    })
    const matrices = Float32Array.of(...global_orient.data, ...body_pose.data)
    const quaternions = Array.from({ length: turns }, (_, i) => fromMatrix(matrices.subarray(9 * i, 9 * i + 9)))
    const [scale, right, down] = pred_cam.data
    const places = jointPlaces(quaternions.slice(0, bodyJoints).flat())
    const known = new Map(detection.keypoints.map(keypoint => [keypoint.name, keypoint]))
    for (const name of cocoKeypoints) {
      const place = places.get(name)
      if (!place) continue
      const [x, y] = outOfWindow(
        window,
        (size * (1 + scale * (pelvis[0] + place[0] + right))) / 2 - 0.5,
        (size * (1 + scale * (pelvis[1] + place[1] + down))) / 2 - 0.5,
      )
      known.set(name, { ...(known.get(name) ?? { name, x, y, score: certainty }), place })
    }
    return {
      ...detection,
      keypoints: [...known.values()] satisfies Keypoint[],
      pose: { rotations: Float32Array.from(quaternions.flatMap(toAxisAngle)), shape: betas.data.slice() },
    }
  }

  close(): Promise<void> {
    return this.network.close()
  }
}

/** Where joints are, metres from the pelvis, as the first rotation turns them: into the camera's axes. */
function jointPlaces(rotations: readonly number[]): Map<string, Vector> {
  const tree = { parents: jointParents.slice(0, bodyJoints), rest: restJoints }
  const { positions } = poseJoints(tree, rotations, [0, 0, 0])
  const [x, y, z] = vectorAt(positions, 0)
  return new Map(
    bodyJointNames.map((name, joint): [string, Vector] => {
      const [a, b, c] = vectorAt(positions, joint)
      return [name, [a - x, b - y, c - z]]
    }),
  )
}
