// Real captures, where they are beside the project: what comes out are people, on the floor, at people's speeds.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { poseJoints } from '../../models/body/kinematics.js'
import { fromAxisAngle, rotate, vectorAt } from '../../models/body/quaternion.js'
import { bodyJoints, jointIndex, jointParents, restJoints } from '../../models/body/skeleton.js'
import { correspondence } from '../../train/motion/correspondence.js'
import { findDoubles } from '../../train/motion/doubles.js'
import { bodyPositions, motionFps, type Motion } from '../../train/motion/motion.js'
import { readMotion, readSource } from '../../train/motion/read.js'
import { resample } from '../../train/motion/resample.js'
import type { SourceMotion } from '../../train/motion/source.js'
import { projectRoot } from '../support/paths.js'

const archives = join(projectRoot, '../shared/mocap')
const folder = await mkdtemp(join(tmpdir(), 'revision-captured-'))
t.teardown(() => rm(folder, { recursive: true }))

/** Some files of the archives, unpacked; a reason if that is not possible. */
function unpack(files: Readonly<Record<string, readonly string[]>>): string | undefined {
  for (const [archive, names] of Object.entries(files)) {
    const path = join(archives, `${archive}.tar.xz`)
    if (!existsSync(path)) return `no ${archive}.tar.xz beside the project`
    const wanted = names.map(name => `${archive}/${name}`)
    try {
      execFileSync('tar', ['xJf', path, '-C', folder, ...wanted], { stdio: 'pipe' })
    } catch (error) {
      return `cannot be unpacked: ${String(error).split('\n')[0]}`
    }
  }
}

const reason = unpack({
  'cmu-amc': ['01/01.asf', '01/01_01.amc', '02/02.asf', '02/02_01.amc', '02/02_03.amc'],
  'cmu-bvh': ['martial/07.bvh', 'indian/08.bvh', 'salsa/10.bvh'],
  'cmu-expmap': ['train/walking/walking_1.txt', 'train/basketball/basketball_1.txt', 'test/running'],
})
const skip = reason ?? false

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
const at = (name: string) => join(folder, name)

/** Metres a second along the floor, from first to last frame. */
function speed({ frames, trans }: Motion): number {
  const [x, z] = [0, 2].map(axis => trans[3 * (frames - 1) + axis] - trans[axis])
  return (Math.hypot(x, z) / (frames - 1)) * motionFps
}

const limbs = ['knee', 'ankle', 'foot', 'shoulder', 'elbow', 'wrist'].flatMap(part =>
  ['left', 'right'].map(side => jointIndex(`${side}_${part}`)),
)

/** Joints at rest of a body with the captured trunk, and limbs of SMPL-X's directions as long as the captured ones. */
function restOf({ rest }: SourceMotion, joints: readonly (number | undefined)[]): Float32Array {
  const out = new Float32Array(3 * bodyJoints)
  for (let i = 0; i < bodyJoints; i++) {
    const [parent, own] = [jointParents[i], joints[i]]
    if (own === undefined) {
      // Ends of feet, and the middle of the spine, which is where its neighbours put it.
      out.set(out.subarray(3 * parent, 3 * parent + 3), 3 * i)
      continue
    }
    out.set(vectorAt(rest, own), 3 * i)
    if (!limbs.includes(i)) continue
    const length = distance(vectorAt(rest, own), vectorAt(rest, joints[parent]!))
    const direction = [0, 1, 2].map(axis => restJoints[3 * i + axis] - restJoints[3 * parent + axis])
    for (const axis of [0, 1, 2])
      out[3 * i + axis] = out[3 * parent + axis] + (direction[axis] * length) / Math.hypot(...direction)
  }
  return out
}

const middleOfHips = (positions: ArrayLike<number>, left: number, right: number) =>
  [0, 1, 2].map(axis => (positions[3 * left + axis] + positions[3 * right + axis]) / 2)

const files = [
  'cmu-amc/01/01_01.amc',
  'cmu-amc/02/02_01.amc',
  'cmu-amc/02/02_03.amc',
  'cmu-bvh/martial/07.bvh',
  'cmu-bvh/indian/08.bvh',
  'cmu-expmap/train/walking/walking_1.txt',
  'cmu-expmap/train/basketball/basketball_1.txt',
]

await t.test(
  'joints are where those of the captured person are, within 3 cm, and the left is left',
  { skip },
  async t => {
    for (const name of files) {
      const [motion, source] = [await readMotion(at(name)), await readSource(at(name))]
      const joints = correspondence(name, source.names)
      const tree = { parents: jointParents.slice(0, bodyJoints), rest: restOf(source, joints) }
      let worst = 0
      let frame = 0
      for (const { rotations, translation } of resample(source, motionFps)) {
        const captured = poseJoints(source, rotations, translation).positions
        const turns = tree.parents.flatMap((_, i) => fromAxisAngle(vectorAt(motion.poses, frame * 55 + i)))
        const { positions } = poseJoints(tree, turns, [0, 0, 0])
        const [p, q] = [middleOfHips(positions, 1, 2), middleOfHips(captured, joints[1]!, joints[2]!)]
        joints.forEach((own, i) => {
          if (own === undefined) return
          const [a, b] = [vectorAt(positions, i), vectorAt(captured, own)]
          worst = Math.max(
            worst,
            distance(
              [0, 1, 2].map(axis => a[axis] - p[axis]),
              [0, 1, 2].map(axis => b[axis] - q[axis]),
            ),
          )
        })
        frame++
      }
      t.ok(worst < 0.03, `${name}: ${(1000 * worst).toFixed(1)} mm`)
    }
  },
)

await t.test('bones keep their lengths and feet stay near the floor', { skip }, async t => {
  for (const name of files) {
    const motion = await readMotion(at(name))
    const lowest: number[] = []
    let stretch = 0
    for (let frame = 0; frame < motion.frames; frame++) {
      const positions = bodyPositions(motion, frame, bodyJoints)
      for (let i = 1; i < bodyJoints; i++) {
        const parent = jointParents[i]
        const length = distance(vectorAt(positions, i), vectorAt(positions, parent))
        stretch = Math.max(stretch, Math.abs(length - distance(vectorAt(restJoints, i), vectorAt(restJoints, parent))))
      }
      lowest.push(Math.min(...['left_foot', 'right_foot'].map(foot => positions[3 * jointIndex(foot) + 1])))
    }
    lowest.sort((a, b) => a - b)
    t.ok(stretch < 1e-4, `${name}: bones change by ${(1000 * stretch).toFixed(2)} mm`)
    // People jump, and balls of feet have a thickness; they do not sink.
    t.ok(lowest[0] > -0.08, `${name}: ${(100 * lowest[0]).toFixed(1)} cm at the lowest`)
    t.ok(
      lowest[lowest.length >> 1] < 0.12,
      `${name}: ${(100 * lowest[lowest.length >> 1]).toFixed(1)} cm in the middle`,
    )
  }
})

await t.test('people walk at 0.8 to 2 m/s, face forward, and run faster', { skip }, async t => {
  const walk = await readMotion(at('cmu-amc/02/02_01.amc'))
  t.ok(speed(walk) > 0.8 && speed(walk) < 2, `${speed(walk).toFixed(2)} m/s`)
  const middle = walk.frames >> 1
  const front = rotate(fromAxisAngle(vectorAt(walk.poses, 55 * middle)), [0, 0, 1])
  const step = [0, 2].map(axis => walk.trans[3 * (middle + 10) + axis] - walk.trans[3 * middle + axis])
  t.ok(front[0] * step[0] + front[2] * step[1] > 0.8 * Math.hypot(...step), 'where the body faces it goes')
  const run = await readMotion(at('cmu-amc/02/02_03.amc'))
  t.ok(speed(run) > 2 && speed(run) < 6, `${speed(run).toFixed(2)} m/s`)
})

await t.test('one walk that comes in two formats is the same, and is found', { skip }, async t => {
  const takes = await Promise.all(
    ['cmu-amc/02/02_01.amc', 'cmu-amc/02/02_03.amc', 'cmu-expmap/train/walking/walking_1.txt'].map(name =>
      readMotion(at(name)),
    ),
  )
  t.strictSame([...findDoubles(takes)], [[2, 0]])
})

// Basic steps are on beats 1, 2, 3 and 5, 6, 7 of eight: what the feet's heights differ by swings three times in eight
// beats. The music has 150 to 250 beats a minute; the files' own rate would have people dance to twice that.
await t.test('salsa is danced at 60 frames a second, although its files say 120', { skip }, async t => {
  const path = at('cmu-bvh/salsa/10.bvh')
  t.equal((await readSource(path)).fps, 120)
  await writeFile(at('cmu-bvh/salsa/fps.json'), '{"fps": 60}\n')
  const motion = await readMotion(path)
  const heights = Array.from({ length: motion.frames }, (_, frame) => {
    const positions = bodyPositions(motion, frame, bodyJoints)
    return positions[3 * jointIndex('left_ankle') + 1] - positions[3 * jointIndex('right_ankle') + 1]
  })
  const power = (hertz: number) => {
    const turn = (frame: number) => (2 * Math.PI * hertz * frame) / motionFps
    const [re, im] = [Math.cos, Math.sin].map(wave => heights.reduce((sum, y, frame) => sum + y * wave(turn(frame)), 0))
    return re * re + im * im
  }
  const tones = Array.from({ length: 500 }, (_, i) => 0.5 + i / 100)
  const strongest = tones.reduce((best, hertz) => (power(hertz) > power(best) ? hertz : best))
  const beats = (strongest * 60 * 8) / 3
  t.ok(beats > 150 && beats < 250, `${beats.toFixed(0)} beats a minute`)
})
