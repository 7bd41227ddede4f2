// A folder of motions: takes by name, without doubles, some held out.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { FileError } from '../../tensor/errors.js'
import { Generator } from '../../tensor/random.js'
import { findDoubles } from '../../train/motion/doubles.js'
import { holdOut, readLibrary } from '../../train/motion/library.js'
import { poseNumbers, type Motion } from '../../train/motion/motion.js'
import { bvhText, walk } from '../support/motion.js'

/** A person who wanders through poses without end, never twice the same. */
function wander(seed: number, frames: number): Motion {
  const random = new Generator(seed)
  const [slow, phase] = [random.rand(poseNumbers), random.rand(poseNumbers)]
  const poses = Float32Array.from({ length: frames * poseNumbers }, (_, i) => {
    const [frame, number] = [Math.floor(i / poseNumbers), i % poseNumbers]
    return 0.5 * Math.sin((0.02 + 0.05 * slow[number]) * frame + 6 * phase[number])
  })
  return { frames, poses, trans: new Float32Array(3 * frames) }
}

function part({ poses, trans }: Motion, start: number, end: number): Motion {
  return {
    frames: end - start,
    poses: poses.slice(start * poseNumbers, end * poseNumbers),
    trans: trans.slice(3 * start, 3 * end),
  }
}

await t.test('a take inside another is found, whichever comes first, with a little noise and another root', async t => {
  const whole = wander(1, 400)
  const excerpt = part(whole, 150, 260)
  const noise = new Generator(3).rand(excerpt.poses.length)
  const noisy = {
    ...excerpt,
    poses: excerpt.poses.map((x, i) => (i % poseNumbers < 3 ? x + 1 : x + 0.015 * (2 * noise[i] - 1))),
  }
  const others = [wander(2, 300), wander(4, 50), wander(5, 300)]
  t.strictSame([...findDoubles([others[0], whole, noisy, others[1]])], [[2, 1]])
  t.strictSame([...findDoubles([noisy, others[0], whole, others[2]])], [[2, 0]])
  t.strictSame([...findDoubles([whole, excerpt, whole])].sort(), [
    [1, 0],
    [2, 0],
  ])
  t.strictSame([...findDoubles(others)], [])
})

await t.test('what is alike in a few frames only is no double', async t => {
  const [a, b] = [wander(1, 300), wander(2, 300)]
  b.poses.set(a.poses.subarray(100 * poseNumbers, 140 * poseNumbers), 130 * poseNumbers)
  t.strictSame([...findDoubles([a, b])], [])
})

await t.test('a folder: names, actions, broken files and repeated takes', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'revision-library-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'walking_extra'))
  await mkdir(join(folder, '07'))
  const [a, b] = [wander(1, 60), walk(60)]
  await writeFile(join(folder, 'walking_extra/a.bvh'), bvhText(a))
  await writeFile(join(folder, '07/b.BVH'), bvhText(b))
  await writeFile(join(folder, 'walking_extra/c.bvh'), bvhText(part(a, 5, 60)))
  await writeFile(join(folder, 'broken.bvh'), 'HIERARCHY')
  await writeFile(join(folder, 'picture.png'), 'no motion')
  const { takes, skipped } = await readLibrary(folder)
  t.strictSame(
    takes.map(({ name, text, frames }) => [name, text, frames]),
    [
      ['07/b.BVH', undefined, 60],
      ['walking_extra/a.bvh', 'walking', 60],
    ],
  )
  t.strictSame(
    skipped.map(({ name }) => name),
    ['broken.bvh', 'walking_extra/c.bvh'],
  )
  t.equal(skipped[1].reason, 'repeats walking_extra/a.bvh')
  const { train, test } = holdOut(takes, ['07/', 'jumping'])
  t.strictSame([train.length, test.map(({ name }) => name)], [1, ['07/b.BVH']])
})

await t.test('a folder without motions, and none at all', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'revision-library-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await t.rejects(readLibrary(folder), { name: FileError.name, message: /no motion in it that can be read/ })
  await t.rejects(readLibrary(join(folder, 'none')), { name: FileError.name, message: /no folder of motions/ })
})
