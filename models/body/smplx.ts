// SMPL-X's pose out of the parts that its users give, in the order of vchoutas/smplx: smplx/body_models.py.

import { add, cat, matmul } from '../../kernels/index.js'
import { scope, Tensor } from '../../tensor/index.js'
import type { BodyData, HandSpace } from './body-data.js'

/** Rotation vectors, radians, [B, numbers]. */
export interface SmplxParts {
  /** [B,3] */
  readonly globalOrient: Tensor
  /** [B,63] */
  readonly bodyPose: Tensor
  /** [B,3] each */
  readonly jawPose: Tensor
  readonly leyePose: Tensor
  readonly reyePose: Tensor
  /** [B,45], or [B,N]: principal components of the model's hands. */
  readonly leftHandPose: Tensor
  readonly rightHandPose: Tensor
}

/** How hands are told. */
export interface SmplxPoseOptions {
  /** The model's hands; they are needed for principal components and for a mean. */
  hands?: BodyData['hands']
  /** Whether hands of zeros are flat, instead of as relaxed as the model's mean. Default: true. */
  flatHands?: boolean
}

const handNumbers = 45

/** The pose [B,165] of its parts. Without the model's hands they must be 45 numbers and flat. */
export function smplxPose(parts: SmplxParts, { hands, flatHands = true }: SmplxPoseOptions = {}): Tensor {
  const { globalOrient, bodyPose, jawPose, leyePose, reyePose, leftHandPose, rightHandPose } = parts
  return scope(() => {
    const left = handPose(leftHandPose, hands?.left, flatHands)
    const right = handPose(rightHandPose, hands?.right, flatHands)
    return cat([globalOrient, bodyPose, jawPose, leyePose, reyePose, left, right], 1)
  })
}

function handPose(pose: Tensor, space: HandSpace | undefined, flat: boolean): Tensor {
  if (!space) return pose
  const { runtime, shape } = pose
  const [, numbers] = shape
  const tensor = (data: Float32Array, rows: number) => Tensor.from(runtime, data, [rows, handNumbers])
  const few = numbers < handNumbers
  const full = few ? matmul(pose, tensor(space.components.subarray(0, numbers * handNumbers), numbers)) : pose
  return flat ? full : add(full, tensor(space.mean, 1))
}
