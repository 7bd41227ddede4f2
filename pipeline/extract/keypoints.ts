// Names of the points of bodies that detectors find. Left and right are the body's own.

import type { bodyJointNames } from '../../models/body/skeleton.js'

/** The 17 of COCO, in its order. */
export const cocoKeypoints = [
  'nose',
  'left_eye',
  'right_eye',
  'left_ear',
  'right_ear',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
  'left_hip',
  'right_hip',
  'left_knee',
  'right_knee',
  'left_ankle',
  'right_ankle',
] as const

/** The 33 of BlazePose, in its order; it has those of COCO among them. */
export const blazePoseKeypoints = [
  'nose',
  'left_eye_inner',
  'left_eye',
  'left_eye_outer',
  'right_eye_inner',
  'right_eye',
  'right_eye_outer',
  'left_ear',
  'right_ear',
  'mouth_left',
  'mouth_right',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
  'left_pinky',
  'right_pinky',
  'left_index',
  'right_index',
  'left_thumb',
  'right_thumb',
  'left_hip',
  'right_hip',
  'left_knee',
  'right_knee',
  'left_ankle',
  'right_ankle',
  'left_heel',
  'right_heel',
  'left_foot_index',
  'right_foot_index',
] as const

/** The 17 of AP-10K, of animals on four legs, in its order. */
export const animalKeypoints = [
  'left_eye',
  'right_eye',
  'nose',
  'neck',
  'root_of_tail',
  'left_shoulder',
  'left_elbow',
  'left_front_paw',
  'right_shoulder',
  'right_elbow',
  'right_front_paw',
  'left_hip',
  'left_knee',
  'left_back_paw',
  'right_hip',
  'right_knee',
  'right_back_paw',
] as const

/** The middle of one of `animalParts`: what a part map tells of an animal. */
export type PartMiddle = `middle of ${string}`

/**
 * The name of a point: of a person among COCO's, BlazePose's and SMPL-X's, of an animal among AP-10K's and the middles of
 * its parts.
 */
export type KeypointName =
  | (typeof cocoKeypoints)[number]
  | (typeof blazePoseKeypoints)[number]
  | (typeof bodyJointNames)[number]
  | (typeof animalKeypoints)[number]
  | PartMiddle
