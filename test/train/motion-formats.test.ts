// Made-up files of every format: what they say comes out on the open body's joints.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { aboutAxis, inverse, multiply, rotate, type Vector } from '../../models/body/quaternion.js'
import { poseJoints } from '../../models/body/kinematics.js'
import { bodyJoints, jointIndex, jointParents, restJoints } from '../../models/body/skeleton.js'
import { FileError } from '../../tensor/errors.js'
import { writeNpz } from '../../tensor/files/index.js'
import { parseAcclaimMotion, parseAcclaimSkeleton } from '../../train/motion/acclaim.js'
import { parseBvh } from '../../train/motion/bvh.js'
import { parseExpmap } from '../../train/motion/expmap.js'
import { bodyPositions, poseNumbers, type Motion } from '../../train/motion/motion.js'
import { readMotion, readSource } from '../../train/motion/read.js'
import { retarget } from '../../train/motion/retarget.js'
import { acclaimSkeleton, bvhText, walk } from '../support/motion.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-motion-'))
t.teardown(() => rm(folder, { recursive: true }))

/** The largest distance between joints of two motions, metres; heights from each motion's own lowest point. */
function farthest(a: Motion, b: Motion, frameOfB = (frame: number) => frame): number {
  const lift = (motion: Motion) => {
    let lowest = Infinity
    for (let frame = 0; frame < motion.frames; frame++)
      for (const [i, value] of bodyPositions(motion, frame, bodyJoints).entries())
        if (i % 3 === 1) lowest = Math.min(lowest, value)
    return lowest
  }
  const difference = lift(a) - lift(b)
  let worst = 0
  for (let frame = 0; frame < a.frames; frame++) {
    const [p, q] = [bodyPositions(a, frame, bodyJoints), bodyPositions(b, frameOfB(frame), bodyJoints)]
    for (let i = 0; i < p.length; i++) worst = Math.max(worst, Math.abs(p[i] - q[i] - (i % 3 === 1 ? difference : 0)))
  }
  return worst
}

const at = (positions: Float32Array, name: string) => {
  const joint = jointIndex(name)
  return [...positions.subarray(3 * joint, 3 * joint + 3)]
}

await t.test('bvh: a walk comes back, in centimetres, inches and metres', async t => {
  const motion = walk(40)
  for (const unit of [100, 1 / 0.0254, 1, 1000])
    t.ok(farthest(retarget('a.bvh', parseBvh('a.bvh', bvhText(motion, { unit }))), motion) < 1e-3, `${unit}`)
})

await t.test('bvh: 120 frames a second become 30, those between are left out', async t => {
  const motion = walk(81, 120)
  const read = retarget('a.bvh', parseBvh('a.bvh', bvhText(motion, { fps: 120 })))
  t.equal(read.frames, 21)
  t.ok(farthest(read, motion, frame => 4 * frame) < 1e-3)
})

await t.test('bvh: a first frame at rest, from which the motion leaps, is none of it', async t => {
  const motion = walk(41)
  motion.poses.set(walk(40, 120).poses, poseNumbers)
  motion.poses.fill(0, 0, poseNumbers)
  t.equal(parseBvh('a.bvh', bvhText(motion, { fps: 120 })).frames, 40)
  t.equal(parseBvh('a.bvh', bvhText(walk(41, 120), { fps: 120 })).frames, 41)
})

await t.test('bvh: 50 and 24 frames a second become 30, with poses between two frames', async t => {
  for (const fps of [50, 24]) {
    const read = retarget('a.bvh', parseBvh('a.bvh', bvhText(walk(2 * fps + 1, fps), { fps })))
    t.equal(read.frames, 61)
    t.ok(farthest(read, walk(61)) < 0.01, `${fps}`)
  }
})

await t.test('bvh: a skeleton at rest with its arms down and legs apart moves like the other', async t => {
  const rest = [
    ['left_shoulder', [0, 0, -1.1]],
    ['right_shoulder', [0, 0, 1.1]],
    ['left_hip', [0, 0, 0.3]],
    ['right_hip', [0, 0, -0.3]],
    ['left_elbow', [0, -0.4, 0]],
  ] as const
  const motion = walk(30)
  t.ok(farthest(retarget('a.bvh', parseBvh('a.bvh', bvhText(motion, { rest }))), motion) < 1e-3)
})

const metres = 0.0254 / 0.45

await t.test('Acclaim: turns about a bone’s own axes, lengths in metres', async t => {
  const acclaim = parseAcclaimSkeleton('a.asf', acclaimSkeleton)
  const text = ':FULLY-SPECIFIED\n:DEGREES\n1\nroot 1 17 2 0 90 0\nlfemur -40 10 0\n2\nroot 1 17 2 0 0 0\nltibia 30\n'
  const source = parseAcclaimMotion('a.amc', text, acclaim)
  t.equal(source.fps, 120)
  t.equal(source.frames, 2)
  const { rotations, translation } = source.pose(0)
  t.strictSame(
    Array.from(translation),
    [1, 17, 2].map(x => x * metres),
  )
  const { positions } = poseJoints(source, rotations, translation)
  const place = (name: string) => [...positions.subarray(3 * source.names.indexOf(name)).subarray(0, 3)]
  // The thigh: tilted by its axes, turned about x then y there, and the root a quarter round y.
  const degrees = (x: number) => (x * Math.PI) / 180
  const axes = aboutAxis('z', degrees(20))
  const turn = multiply(aboutAxis('y', degrees(10)), aboutAxis('x', degrees(-40)))
  const local = multiply(multiply(axes, turn), inverse(axes))
  const thigh = rotate(aboutAxis('y', degrees(90)), rotate(local, [0.34202, -0.939693, 0]))
  const [hip, knee] = [place('lfemur'), place('ltibia')]
  for (const axis of [0, 1, 2]) t.ok(Math.abs(knee[axis] - hip[axis] - thigh[axis] * 7 * metres) < 1e-5, 'xyz'[axis])
  t.ok(knee[1] > place('rtibia')[1], 'the left knee is lifted')
})

await t.test('Acclaim: a lifted left leg is lifted on the body, and to its front', async t => {
  const lift = 'root 0 17 0 0 0 0\nlfemur -60 0 0\nltibia 80\n'
  await writeFile(join(folder, '07.asf'), acclaimSkeleton)
  await writeFile(join(folder, '08.asf'), acclaimSkeleton)
  await writeFile(join(folder, '07_01.amc'), `:DEGREES\n1\n${lift}2\n${lift}`)
  const motion = await readMotion(join(folder, '07_01.amc'))
  const positions = bodyPositions(motion, 0)
  t.ok(at(positions, 'left_knee')[1] > at(positions, 'right_knee')[1] + 0.1)
  t.ok(at(positions, 'left_knee')[2] > at(positions, 'left_hip')[2] + 0.2)
  t.ok(at(positions, 'left_ankle')[0] > at(positions, 'right_ankle')[0])
  await t.rejects(readMotion(join(folder, '09_01.amc')), { name: FileError.name, message: /no skeleton.*got 2$/ })
})

await t.test(
  'comma-separated rotation vectors: the first line is no frame, the left thigh goes to the front',
  async t => {
    const row = new Array<number>(117).fill(0)
    row[1] = 17
    const lifted = row.slice()
    lifted[3 + 3 * 2] = 0.9 // of row vectors: turns the other way
    const source = parseExpmap('a.txt', [row, lifted, lifted].map(values => values.join(',')).join('\n'))
    t.equal(source.frames, 2)
    const positions = bodyPositions(retarget('a.txt', source), 0)
    t.ok(at(positions, 'left_knee')[2] > at(positions, 'right_knee')[2] + 0.25)
    t.ok(at(positions, 'left_knee')[0] > 0 && at(positions, 'right_knee')[0] < 0)
  },
)

await t.test('AMASS: z up is turned to y up; hands of SMPL-H come after the face', async t => {
  const path = join(folder, 'amass.npz')
  const poses = new Float32Array(2 * 156)
  // A person who stands in z up faces -y: a quarter turn about x takes y up to z up.
  for (const frame of [0, 1]) poses.set([Math.PI / 2, 0, 0], frame * 156)
  poses.set([0.1, 0.2, 0.3], 156 + 66)
  const trans = Float32Array.of(0, 0, 1, 0, -0.5, 1)
  await writeNpz(path, {
    poses: { data: poses, shape: [2, 156], dtype: 'f32' },
    trans: { data: trans, shape: [2, 3], dtype: 'f32' },
    mocap_framerate: { data: Float32Array.of(30), shape: [], dtype: 'f32' },
  })
  const motion = await readMotion(path)
  t.ok(motion.poses.subarray(0, 3).every(x => Math.abs(x) < 1e-6))
  t.ok([0, 1, 0, 0, 1, 0.5].every((x, i) => Math.abs(motion.trans[i] - x) < 1e-6))
  t.strictSame(motion.poses.slice(poseNumbers + 75, poseNumbers + 78), Float32Array.of(0.1, 0.2, 0.3))
})

await t.test('fps.json beside the files says what the files do not, and an option says it first', async t => {
  const path = join(folder, 'slow.bvh')
  await writeFile(path, bvhText(walk(61, 60), { fps: 120 }))
  t.equal((await readSource(path)).fps, 120)
  await writeFile(join(folder, 'fps.json'), '{"fps": 60}')
  t.equal((await readSource(path)).fps, 60)
  t.equal((await readMotion(path)).frames, 31)
  t.equal((await readSource(path, { fps: 20 })).fps, 20)
  await writeFile(join(folder, 'fps.json'), '{"fps": 1e9}')
  await t.rejects(readMotion(path), { name: FileError.name, message: /fps\.json: bad configuration: fps/ })
  await rm(join(folder, 'fps.json'))
})

await t.test('the floor is where the feet stand, whatever the file says', async t => {
  for (const height of [0.2, 3]) {
    const motion = walk(60)
    for (let frame = 0; frame < 60; frame++) motion.trans[3 * frame + 1] += height
    const read = retarget('a.bvh', parseBvh('a.bvh', bvhText(motion)))
    const balls = Array.from({ length: 60 }, (_, frame) => {
      const positions = bodyPositions(read, frame)
      return Math.min(at(positions, 'left_foot')[1], at(positions, 'right_foot')[1])
    }).sort((a, b) => a - b)
    t.ok(Math.abs(balls[3] - 0.025) < 1e-3)
  }
})

await t.test('the joint tree has parents first, and both sides alike', async t => {
  t.ok(jointParents.every((parent, joint) => parent < joint))
  for (const joint of [1, 4, 7, 10, 13, 16, 18, 20]) {
    const [left, right] = [joint, joint + 1].map(j => [...restJoints.subarray(3 * j, 3 * j + 3)] as unknown as Vector)
    t.strictSame([-left[0], left[1], left[2]], [...right])
  }
})
