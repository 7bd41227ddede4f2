// The joint tree that SMPL-X has, and where its joints are in the open body's rest pose.
// Names, order and parents are those of vchoutas/smplx: smplx/joint_names.py; positions are this project's own.

/** SMPL-X's joints of the body without face and fingers, which come first. */
export const bodyJointNames = [
  'pelvis',
  'left_hip',
  'right_hip',
  'spine1',
  'left_knee',
  'right_knee',
  'spine2',
  'left_ankle',
  'right_ankle',
  'spine3',
  'left_foot',
  'right_foot',
  'neck',
  'left_collar',
  'right_collar',
  'head',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
] as const

/** SMPL-X's joints: the body (0..21), jaw and eyes, then fingers. SMPL has the first 22 and the hands as two more. */
export const jointNames: readonly string[] = [
  ...bodyJointNames,
  'jaw',
  'left_eye_smplhf',
  'right_eye_smplhf',
  ...fingersOf('left'),
  ...fingersOf('right'),
]

/** How many joints the body has without face and fingers. */
export const bodyJoints = bodyJointNames.length

/** The parent of each joint; -1 for the pelvis. */
export const jointParents = [
  -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15, 20, 25, 26, 20, 28, 29, 20, 31,
  32, 20, 34, 35, 20, 37, 38, 21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53,
]

function fingersOf(side: 'left' | 'right'): string[] {
  const fingers = ['index', 'middle', 'pinky', 'ring', 'thumb']
  return fingers.flatMap(finger => [1, 2, 3].map(n => `${side}_${finger}${n}`))
}

/** The index of a joint by its name, which must be one of `jointNames`. */
export function jointIndex(name: string): number {
  return jointNames.indexOf(name)
}

// The middle and the left half, in metres from the pelvis: x to the body's left, y up, z to its front. Arms are
// stretched out to the sides, palms down. A person of 1.72 m.
const half: Readonly<Record<string, readonly [number, number, number]>> = {
  pelvis: [0, 0, 0],
  left_hip: [0.075, -0.085, 0],
  spine1: [0, 0.11, -0.015],
  left_knee: [0.09, -0.475, 0.005],
  spine2: [0, 0.24, -0.01],
  left_ankle: [0.09, -0.885, -0.03],
  spine3: [0, 0.3, 0.005],
  left_foot: [0.105, -0.94, 0.09],
  neck: [0, 0.495, -0.02],
  left_collar: [0.06, 0.42, -0.01],
  head: [0, 0.585, 0.01],
  left_shoulder: [0.175, 0.445, -0.02],
  left_elbow: [0.43, 0.435, -0.03],
  left_wrist: [0.68, 0.44, -0.03],
  jaw: [0, 0.6, 0.03],
  left_eye_smplhf: [0.032, 0.655, 0.085],
  left_index1: [0.775, 0.432, -0.005],
  left_index2: [0.808, 0.43, -0.003],
  left_index3: [0.83, 0.428, -0.002],
  left_middle1: [0.78, 0.435, -0.027],
  left_middle2: [0.815, 0.433, -0.026],
  left_middle3: [0.84, 0.431, -0.026],
  left_pinky1: [0.762, 0.426, -0.068],
  left_pinky2: [0.78, 0.424, -0.071],
  left_pinky3: [0.795, 0.423, -0.073],
  left_ring1: [0.772, 0.432, -0.049],
  left_ring2: [0.803, 0.43, -0.05],
  left_ring3: [0.826, 0.428, -0.051],
  left_thumb1: [0.708, 0.43, -0.002],
  left_thumb2: [0.731, 0.42, 0.018],
  left_thumb3: [0.752, 0.416, 0.034],
}

/** Where the joints are in the open body's rest pose, metres from the pelvis, [55 x 3]. */
export const restJoints: Float32Array = Float32Array.from(
  jointNames.flatMap(name => {
    if (!name.startsWith('right_')) return [...half[name]]
    const [x, y, z] = half[name.replace('right_', 'left_')]
    return [-x, y, z]
  }),
)
