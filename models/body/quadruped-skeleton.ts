// The joint tree that SMAL has, and where its joints are in the open quadruped's rest pose. Names and order are those
// commonly given to SMAL's joints (Zuffi et al., "3D Menagerie", arXiv:1611.07700); positions are this project's own.

/** SMAL's joints: the spine, front legs, neck and head, hind legs, tail, then mouth and ears. */
export const quadrupedJointNames = [
  'pelvis',
  'pelvis0',
  'spine',
  'spine0',
  'spine1',
  'spine2',
  'spine3',
  'LLeg1',
  'LLeg2',
  'LLeg3',
  'LFoot',
  'RLeg1',
  'RLeg2',
  'RLeg3',
  'RFoot',
  'Neck',
  'Head',
  'LLegBack1',
  'LLegBack2',
  'LLegBack3',
  'LFootBack',
  'RLegBack1',
  'RLegBack2',
  'RLegBack3',
  'RFootBack',
  'Tail1',
  'Tail2',
  'Tail3',
  'Tail4',
  'Tail5',
  'Tail6',
  'Tail7',
  'Mouth',
  'LEar',
  'REar',
]

/** The parent of each joint; -1 for the first. */
export const quadrupedParents = [
  -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 6, 11, 12, 13, 6, 15, 0, 17, 18, 19, 0, 21, 22, 23, 0, 25, 26, 27, 28, 29, 30, 16,
  16, 16,
]

// The middle and the left half, in metres from the first joint: x to the animal's left, y up, z to its front. A dog
// that is 0.62 m high at its back and stands on all fours.
const half: Readonly<Record<string, readonly [number, number, number]>> = {
  pelvis: [0, 0, 0],
  pelvis0: [0, 0.005, 0.06],
  spine: [0, 0.005, 0.14],
  spine0: [0, 0, 0.22],
  spine1: [0, -0.005, 0.3],
  spine2: [0, -0.01, 0.38],
  spine3: [0, -0.015, 0.46],
  LLeg1: [0.065, -0.075, 0.47],
  LLeg2: [0.07, -0.23, 0.43],
  LLeg3: [0.07, -0.41, 0.445],
  LFoot: [0.07, -0.51, 0.455],
  Neck: [0, 0.045, 0.53],
  Head: [0, 0.165, 0.64],
  LLegBack1: [0.06, -0.04, -0.01],
  LLegBack2: [0.07, -0.2, 0.045],
  LLegBack3: [0.07, -0.35, -0.085],
  LFootBack: [0.07, -0.51, -0.06],
  Tail1: [0, 0.01, -0.08],
  Tail2: [0, -0.005, -0.125],
  Tail3: [0, -0.03, -0.165],
  Tail4: [0, -0.065, -0.2],
  Tail5: [0, -0.105, -0.225],
  Tail6: [0, -0.15, -0.24],
  Tail7: [0, -0.195, -0.25],
  Mouth: [0, 0.13, 0.69],
  LEar: [0.04, 0.225, 0.62],
}

/** Where the joints are in the open quadruped's rest pose, metres from the first, [35 x 3]. */
export const quadrupedRest: Float32Array = Float32Array.from(
  quadrupedJointNames.flatMap(name => {
    if (half[name]) return [...half[name]]
    const [x, y, z] = half[name.replace('R', 'L')]
    return [-x, y, z]
  }),
)
