// Which node of a figure a detector's keypoint is. Joints of limbs have the same names in COCO, BlazePose and SMPL-X.

import type { EntityKind } from '../../../models/pppm/kinds.js'
import type { Detection } from '../detection.js'
import type { SeenFrame, SeenPoint } from './observations.js'

const human: Readonly<Record<string, string>> = {
  left_eye: 'left_eye_smplhf',
  right_eye: 'right_eye_smplhf',
  mouth_left: 'left_mouth',
  mouth_right: 'right_mouth',
  left_index: 'left_index1',
  right_index: 'right_index1',
  left_pinky: 'left_pinky1',
  right_pinky: 'right_pinky1',
  left_thumb: 'left_thumb2',
  right_thumb: 'right_thumb2',
  left_foot_index: 'left_toe',
  right_foot_index: 'right_toe',
}

const animal: Readonly<Record<string, string>> = {
  nose: 'Nose',
  neck: 'Neck',
  root_of_tail: 'Tail1',
  left_shoulder: 'LLeg1',
  left_elbow: 'LLeg2',
  left_front_paw: 'LFoot',
  right_shoulder: 'RLeg1',
  right_elbow: 'RLeg2',
  right_front_paw: 'RFoot',
  left_hip: 'LLegBack1',
  left_knee: 'LLegBack2',
  left_back_paw: 'LFootBack',
  right_hip: 'RLegBack1',
  right_knee: 'RLegBack2',
  right_back_paw: 'RFootBack',
}

/** The node of a human's or an animal's figure that a keypoint is; its own name where there is no other. */
export function nodeOf(kind: EntityKind, keypoint: string): string {
  return (kind === 'human' ? human : animal)[keypoint] ?? keypoint
}

/** What a detection tells of a body, by the names of nodes; nothing without a detection. */
export function seenIn(detection: Detection | undefined): SeenFrame {
  return Object.fromEntries(
    (detection?.keypoints ?? []).map(({ name, x, y, score, place }): [string, SeenPoint] => [
      nodeOf(detection!.kind, name),
      { pixel: [x, y], point: place, confidence: score },
    ]),
  )
}
