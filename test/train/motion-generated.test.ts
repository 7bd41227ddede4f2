// Generated motions obey physics, and scenes come back from their files.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { poseJoints } from '../../models/body/kinematics.js'
import { quadrupedJointNames, quadrupedParents, quadrupedRest } from '../../models/body/quadruped-skeleton.js'
import { fromAxisAngle, vectorAt } from '../../models/body/quaternion.js'
import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import { FileError, UsageError } from '../../tensor/errors.js'
import { writeNpz } from '../../tensor/files/index.js'
import { Generator } from '../../tensor/index.js'
import { footHeight, gaitKinds, gaits, legNames } from '../../train/motion/gaits.js'
import { generatedKinds, generateMotion } from '../../train/motion/generate.js'
import { motionFps } from '../../train/motion/motion.js'
import { gravity, simulateObject, type ObjectState } from '../../train/motion/objects.js'
import { readMotion } from '../../train/motion/read.js'
import { personOf, readScene, sceneFrames, writeScene } from '../../train/motion/scene-file.js'
import { clipSource } from '../../train/pppm/sources.js'
import { walk } from '../support/motion.js'

const still: ObjectState = { along: 0, height: 0.1, angle: 0, speed: 0, climb: 0, spin: 0 }
const ball = { radius: 0.1, isBall: true, restitution: 0.7, friction: 0.02 }
const box = { radius: 0.1, isBall: false, restitution: 0.3, friction: 0.3 }

await t.test('a thrown object flies along a parabola', async t => {
  const states = simulateObject({ ...still, height: 2, speed: 3, climb: 3, spin: 2 }, ball, 20)
  states.forEach((state, frame) => {
    const time = frame / motionFps
    t.ok(Math.abs(state.height - (2 + 3 * time - (gravity * time * time) / 2)) < 1e-9)
    t.ok(Math.abs(state.along - 3 * time) < 1e-9 && Math.abs(state.angle - 2 * time) < 1e-9)
  })
})

await t.test('energy never grows, falls at every bounce, and all comes to rest', async t => {
  for (const body of [ball, box]) {
    const states = simulateObject({ ...still, height: 1.5, speed: 1, spin: body.isBall ? -9 : 0 }, body, 1200)
    const energy = states.map(
      ({ height, speed, climb, spin }) =>
        gravity * height + (speed ** 2 + climb ** 2) / 2 + (body.isBall ? (0.4 * (body.radius * spin) ** 2) / 2 : 0),
    )
    const bounces = states.filter((state, i) => i > 0 && states[i - 1].climb < 0 && state.climb > 0)
    t.ok(bounces.length > (body.isBall ? 3 : 0))
    t.ok(energy.every((value, i) => i === 0 || value < energy[i - 1] + 0.02))
    t.ok(
      states.every(({ height }) => height >= body.radius - 1e-9),
      'never in the floor',
    )
    t.strictSame([states.at(-1)!.speed, states.at(-1)!.climb], [0, 0])
  }
})

await t.test('a ball rolls without slipping, a box slides as far as friction lets it', async t => {
  const rolling = simulateObject({ ...still, speed: 2 }, ball, 60)
  for (const { along, angle } of rolling) t.ok(Math.abs(along - 0.1 * angle) < 1e-9)
  const sliding = simulateObject({ ...still, speed: 2 }, box, 120).at(-1)!
  t.ok(Math.abs(sliding.along - 4 / (2 * 0.3 * gravity)) < 1e-3)
  t.equal(sliding.angle, 0)
})

// Far quicker than comparing number by number.
const bytes = ({ numbers }: EntityMotion) => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)
const isSame = (a: EntityMotion, b: EntityMotion) => a.kind === b.kind && bytes(a).equals(bytes(b))

const finite = ({ numbers }: EntityMotion) => numbers.every(Number.isFinite)

await t.test('every kind: finite, of any length, above the floor, the same for the same seed', async t => {
  for (const kind of generatedKinds)
    for (const frames of [1, 2, 64]) {
      const [a, b, c] = [5, 5, 6].map(seed => generateMotion(kind, frames, new Generator(seed)))
      t.ok(finite(a) && sceneFrames([a]) === frames, `${kind}, ${frames} frames`)
      t.ok(isSame(a, b) && !isSame(a, c))
      if (a.kind === 'object') t.ok(a.numbers.every((x, i) => i % 3 !== 1 || x > -1e-6))
    }
})

const tree = { parents: quadrupedParents, rest: quadrupedRest }
const feet = legNames.map(leg => quadrupedJointNames.indexOf(leg[3]))

/** Where the feet of an animal are, [T][leg]. */
function feetOf({ numbers }: EntityMotion): (readonly [number, number, number])[][] {
  const width = numbersOf('animal')
  return Array.from({ length: numbers.length / width }, (_, frame) => {
    const pose = numbers.subarray(frame * width, (frame + 1) * width)
    const turns = quadrupedParents.flatMap((_, joint) => fromAxisAngle(vectorAt(pose, joint)))
    const { positions } = poseJoints(tree, turns, pose.subarray(width - 3))
    return feet.map(foot => vectorAt(positions, foot))
  })
}

await t.test('feet that stand do not slip, others are lifted, none is in the floor', async t => {
  for (const kind of gaitKinds)
    for (let seed = 0; seed < 5; seed++) {
      const places = feetOf(generateMotion(kind, 90, new Generator(seed)))
      const stands = places.map(frame => frame.map(([, y]) => y < footHeight + 1e-3))
      let slip = 0
      for (let frame = 1; frame < 90; frame++)
        for (const leg of [0, 1, 2, 3])
          if (stands[frame][leg] && stands[frame - 1][leg]) {
            const [p, q] = [places[frame - 1][leg], places[frame][leg]]
            slip = Math.max(slip, Math.hypot(q[0] - p[0], q[2] - p[2]))
          }
      t.ok(slip < 0.012, `${kind}: ${(1000 * slip).toFixed(1)} mm`)
      t.ok(places.flat().every(([, y]) => y > footHeight - 0.005))
      for (const leg of [0, 1, 2, 3]) {
        const share = stands.filter(frame => frame[leg]).length / 90
        t.ok(Math.abs(share - gaits[kind].duty) < 0.12, `${kind}: a foot stands ${share.toFixed(2)} of the time`)
      }
    }
})

await t.test(
  'which feet stand together: diagonal ones at a trot, three at a walk, none at times in a gallop',
  async t => {
    const together = (kind: (typeof gaitKinds)[number]) =>
      feetOf(generateMotion(kind, 90, new Generator(1))).map(frame => frame.map(([, y]) => y < footHeight + 1e-3))
    t.ok(together('trot').every(([lf, rf, lh, rh]) => lf === rh && rf === lh))
    const counts = (kind: (typeof gaitKinds)[number]) => together(kind).map(feet => feet.filter(Boolean).length)
    t.ok(counts('walk').every(count => count >= 2) && counts('walk').includes(3))
    t.ok(counts('gallop').includes(0))
  },
)

const folder = await mkdtemp(join(tmpdir(), 'revision-scene-'))
t.teardown(() => rm(folder, { recursive: true }))
const path = join(folder, 'scene.npz')

await t.test('a scene of persons, animals and objects comes back from its file', async t => {
  const person = personOf(walk(20))
  const [dog, horse] = [1, 2].map(seed => generateMotion('trot', 20, new Generator(seed)))
  const ball = generateMotion('bounce', 20, new Generator(3))
  for (const scene of [[person], [person, person, dog, horse, ball], [dog], [ball, ball]]) {
    await writeScene(path, scene)
    const found = await readScene(path)
    t.equal(found.length, scene.length)
    t.ok(found.every((entity, i) => isSame(entity, scene[i])))
  }
  await writeScene(path, [person])
  t.ok(isSame(personOf(await readMotion(path)), person), 'one person alone is read by the reader of motions too')
})

await t.test('scenes of nothing, of two lengths, of another version or shape', async t => {
  const dog = generateMotion('walk', 20, new Generator(1))
  await t.rejects(writeScene(path, []), { name: UsageError.name })
  await t.rejects(writeScene(path, [dog, personOf(walk(21))]), { name: UsageError.name })
  const one = (data: Float32Array, shape: number[]) => ({ data, shape, dtype: 'f32' }) as const
  const head = { version: one(Float32Array.of(1), [1]), mocap_framerate: one(Float32Array.of(30), [1]) }
  const broken = [
    [head, /a scene of nothing/],
    [{ ...head, version: one(Float32Array.of(2), [1]) }, /unknown version; expected 1; got 2/],
    [{ ...head, mocap_framerate: one(Float32Array.of(60), [1]) }, /unknown mocap_framerate; expected 30; got 60/],
    [{ ...head, objects: one(new Float32Array(60), [1, 20, 3]) }, /array objects has the wrong shape/],
    [
      { ...head, objects: one(new Float32Array(63).fill(NaN), [1, 21, 3]) },
      /objects does not hold numbers that can be; expected .*; got NaN/,
    ],
    [{ ...head, animal_poses: one(new Float32Array(105), [1, 105]) }, /no array "animal_trans"/],
  ] as const
  for (const [arrays, message] of broken) {
    await writeNpz(path, arrays)
    await t.rejects(readScene(path), { name: FileError.name, message })
  }
})

await t.test('clips for training come from takes and generators', async t => {
  const source = clipSource([walk(40)])
  for (const kind of ['human', 'animal', 'object'] as const) {
    const clip = source(kind, 32, new Generator(4))
    t.strictSame([clip.kind, sceneFrames([clip])], [kind, 32])
  }
})
