// Motions and motion files made up for tests.

import { fromAxisAngle, identity, multiply, type Quaternion } from '../../models/body/quaternion.js'
import { bodyJoints, jointIndex, jointNames, jointParents, restJoints } from '../../models/body/skeleton.js'
import { poseNumbers, type Motion } from '../../train/motion/motion.js'

/** Names of the body joints as MotionBuilder gives them, in SMPL-X's order. */
const capturedNames = jointNames.slice(0, bodyJoints).map(name => {
  const [, side, part] = /^(left|right)?_?(.*)$/.exec(name)!
  const limbs: Record<string, string> = { hip: 'UpLeg', knee: 'Leg', ankle: 'Foot', foot: 'ToeBase' }
  Object.assign(limbs, { collar: 'Shoulder', shoulder: 'Arm', elbow: 'ForeArm', wrist: 'Hand' })
  if (side) return `${side === 'left' ? 'Left' : 'Right'}${limbs[part]}`
  return name === 'pelvis' ? 'Hips' : name
})

/** A person who walks to the front at 1.2 m/s: legs and arms swing, the left leg first. */
export function walk(frames: number, fps = 30): Motion {
  const poses = new Float32Array(frames * poseNumbers)
  const trans = new Float32Array(frames * 3)
  for (let frame = 0; frame < frames; frame++) {
    const phase = (2 * Math.PI * frame) / fps
    const turn = (name: string, vector: readonly number[]) =>
      poses.set(vector, frame * poseNumbers + 3 * jointIndex(name))
    // About x a positive turn moves what hangs down to the back.
    turn('left_hip', [-0.4 * Math.sin(phase), 0, 0])
    turn('right_hip', [0.4 * Math.sin(phase), 0, 0])
    turn('left_knee', [0.3 + 0.3 * Math.cos(phase), 0, 0])
    turn('right_knee', [0.3 - 0.3 * Math.cos(phase), 0, 0])
    turn('left_shoulder', [0.2 * Math.sin(phase), 0, -1.2])
    turn('right_shoulder', [-0.2 * Math.sin(phase), 0, 1.2])
    turn('spine2', [0, 0.1 * Math.sin(phase), 0])
    trans.set([0, 0.95, (1.2 * frame) / fps], 3 * frame)
  }
  return { frames, poses, trans }
}

/** A person that walks in a circle and swings arms and legs, every one in another rhythm. */
export function strollingPerson(frames: number, rhythm = 1): Motion {
  const poses = new Float32Array(frames * poseNumbers)
  const trans = new Float32Array(frames * 3)
  for (let frame = 0; frame < frames; frame++) {
    const time = frame / 30
    const swing = Math.sin(2 * Math.PI * rhythm * time)
    const turn = (name: string, rotation: readonly number[]) =>
      poses.set(rotation, frame * poseNumbers + 3 * jointIndex(name))
    turn('pelvis', [0, 0.4 * time, 0])
    turn('left_hip', [0.5 * swing, 0, 0])
    turn('right_hip', [-0.5 * swing, 0, 0])
    turn('left_knee', [0.4 + 0.4 * swing, 0, 0])
    turn('left_shoulder', [0, -0.3 * swing, -1.2])
    turn('right_shoulder', [0, -0.3 * swing, 1.2])
    trans.set([Math.sin(0.4 * time), 0.95 + 0.02 * swing, Math.cos(0.4 * time)], 3 * frame)
  }
  return { frames, poses, trans }
}

interface BvhOptions {
  readonly fps?: number
  /** Units of length in a metre. */
  readonly unit?: number
  /** Turns every offset of the rest pose: [joint name, rotation vector] of whole limbs. */
  readonly rest?: readonly (readonly [string, readonly [number, number, number]])[]
}

/** A .bvh file of a motion on the open body's joints; rest poses may differ from the open body's. */
export function bvhText(motion: Motion, { fps = 30, unit = 100, rest = [] }: BvhOptions = {}): string {
  const bent = jointParents.slice(0, bodyJoints).reduce<Quaternion[]>((turns, parent, joint) => {
    const own = rest.find(([name]) => jointIndex(name) === joint)
    const above = parent < 0 ? identity : turns[parent]
    return [...turns, own ? multiply(above, fromAxisAngle(own[1])) : above]
  }, [])
  const offset = (joint: number) => {
    const parent = jointParents[joint]
    const straight = [0, 1, 2].map(
      axis => restJoints[3 * joint + axis] - (parent < 0 ? 0 : restJoints[3 * parent + axis]),
    )
    return turnedBy(parent < 0 ? identity : bent[parent], straight).map(x => (x * unit).toFixed(5))
  }
  const lines: string[] = ['HIERARCHY']
  const order: number[] = []
  const write = (joint: number, indent: string) => {
    order.push(joint)
    lines.push(`${indent}${joint === 0 ? 'ROOT' : 'JOINT'} ${capturedNames[joint]}`, `${indent}{`)
    lines.push(`${indent}  OFFSET ${offset(joint).join(' ')}`)
    const positions = joint === 0 ? '6 Xposition Yposition Zposition ' : '3 '
    lines.push(`${indent}  CHANNELS ${positions}Zrotation Xrotation Yrotation`)
    const children = capturedNames.flatMap((_, child) => (jointParents[child] === joint ? [child] : []))
    for (const child of children) write(child, `${indent}  `)
    if (children.length === 0)
      lines.push(`${indent}  End Site`, `${indent}  {`, `${indent}    OFFSET 0 1 0`, `${indent}  }`)
    lines.push(`${indent}}`)
  }
  write(0, '')
  lines.push('MOTION', `Frames: ${motion.frames}`, `Frame Time: ${(1 / fps).toFixed(8)}`)
  for (let frame = 0; frame < motion.frames; frame++) {
    // The turn of each joint in the world, then on the bent skeleton, then against its parent there.
    const world: Quaternion[] = []
    for (let joint = 0; joint < bodyJoints; joint++) {
      const at = frame * poseNumbers + 3 * joint
      const local = fromAxisAngle([motion.poses[at], motion.poses[at + 1], motion.poses[at + 2]])
      world.push(joint === 0 ? local : multiply(world[jointParents[joint]], local))
    }
    const captured = world.map((turn, joint) => multiply(turn, conjugate(bent[joint])))
    const numbers = order.flatMap(joint => {
      const local = joint === 0 ? captured[0] : multiply(conjugate(captured[jointParents[joint]]), captured[joint])
      const place = joint === 0 ? [...motion.trans.subarray(3 * frame, 3 * frame + 3)].map(x => x * unit) : []
      return [...place, ...eulerZXY(local).map(angle => (angle * 180) / Math.PI)]
    })
    lines.push(numbers.map(x => x.toFixed(6)).join(' '))
  }
  return `${lines.join('\n')}\n`
}

function conjugate([w, x, y, z]: Quaternion): Quaternion {
  return [w, -x, -y, -z]
}

function turnedBy(q: Quaternion, [x, y, z]: readonly number[]): number[] {
  const [, a, b, c] = multiply(multiply(q, [0, x, y, z]), conjugate(q))
  return [a, b, c]
}

/** Angles with Rz Rx Ry the rotation of a quaternion. */
function eulerZXY(q: Quaternion): [number, number, number] {
  const [x, y, z] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ].map(axis => turnedBy(q, axis))
  // Row 2 of the matrix is (-cos x sin y, sin x, cos x cos y); column 1 (-sin z cos x, cos z cos x, sin x).
  return [Math.atan2(-y[0], y[1]), Math.asin(Math.max(-1, Math.min(1, y[2]))), Math.atan2(-x[2], z[2])]
}

/** An .asf file of a person with 20 bones. */
export const acclaimSkeleton = `# a comment
:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
${[
  ['lhipjoint', '0.6 -0.8 0', 2.5, '0 0 0', ''],
  ['lfemur', '0.34202 -0.939693 0', 7, '0 0 20', 'rx ry rz'],
  ['ltibia', '0.34202 -0.939693 0', 7, '0 0 20', 'rx'],
  ['lfoot', '0 -0.25 0.968246', 2.2, '-90 0 0', 'rx rz'],
  ['rhipjoint', '-0.6 -0.8 0', 2.5, '0 0 0', ''],
  ['rfemur', '-0.34202 -0.939693 0', 7, '0 0 -20', 'rx ry rz'],
  ['rtibia', '-0.34202 -0.939693 0', 7, '0 0 -20', 'rx'],
  ['rfoot', '0 -0.25 0.968246', 2.2, '-90 0 0', 'rx rz'],
  ['lowerback', '0 1 0', 4, '0 0 0', 'rx ry rz'],
  ['thorax', '0 1 0', 4, '0 0 0', 'rx ry rz'],
  ['neck', '0 1 0', 1.5, '0 0 0', 'rx ry rz'],
  ['head', '0 1 0', 1.6, '0 0 0', ''],
  ['lclavicle', '0.9 0.43589 0', 3.6, '0 0 0', ''],
  ['lhumerus', '1 0 0', 5, '180 30 90', 'rx ry rz'],
  ['lradius', '1 0 0', 4.5, '180 30 90', 'rx'],
  ['lhand', '1 0 0', 1, '180 -90 0', 'rx rz'],
  ['rclavicle', '-0.9 0.43589 0', 3.6, '0 0 0', ''],
  ['rhumerus', '-1 0 0', 5, '180 -30 -90', 'rx ry rz'],
  ['rradius', '-1 0 0', 4.5, '180 -30 -90', 'rx'],
  ['rhand', '-1 0 0', 1, '180 90 0', 'rx rz'],
]
  .map(
    ([name, direction, length, axis, dof], i) => `  begin
    id ${i + 1}
    name ${name}
    direction ${direction}
    length ${length}
    axis ${axis} XYZ
${dof === '' ? '' : `    dof ${dof}\n    limits (-180.0 180.0)\n`}  end`,
  )
  .join('\n')}
:hierarchy
  begin
    root lhipjoint rhipjoint lowerback
    lhipjoint lfemur
    lfemur ltibia
    ltibia lfoot
    rhipjoint rfemur
    rfemur rtibia
    rtibia rfoot
    lowerback thorax
    thorax neck lclavicle rclavicle
    neck head
    lclavicle lhumerus
    lhumerus lradius
    lradius lhand
    rclavicle rhumerus
    rhumerus rradius
    rradius rhand
  end
`

/** An .amc file of three frames on that skeleton. */
export const acclaimMotion = `:FULLY-SPECIFIED
:DEGREES
${[1, 2, 3]
  .map(
    frame => `${frame}
root 1 17 ${frame} 0 ${5 * frame} 0
lfemur -${10 * frame} 2 0
ltibia ${8 * frame}
rhumerus 10 20 -${frame}
lfoot 5 1
`,
  )
  .join('')}`

/** Comma-separated rotation vectors: the line of the rest pose, then so many frames of a leg that is lifted. */
export function expmapText(frames: number): string {
  const lines = Array.from({ length: frames + 1 }, (_, frame) => {
    const numbers = new Array<number>(117).fill(0)
    numbers[1] = 17
    numbers[3 + 3 * 2] = 0.3 * frame
    return numbers.join(',')
  })
  return `${lines.join('\n')}\n`
}
