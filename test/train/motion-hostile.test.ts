// Damaged motion files, the same ones on every run: each is refused with one line, or gives finite numbers.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileError } from '../../tensor/errors.js'
import { Generator } from '../../tensor/random.js'
import { parseAcclaimMotion, parseAcclaimSkeleton } from '../../train/motion/acclaim.js'
import { parseBvh } from '../../train/motion/bvh.js'
import { parseExpmap } from '../../train/motion/expmap.js'
import { readMotion } from '../../train/motion/read.js'
import { retarget } from '../../train/motion/retarget.js'
import { motionLimits, type SourceMotion } from '../../train/motion/source.js'
import { acclaimMotion, acclaimSkeleton, bvhText, expmapText, walk } from '../support/motion.js'

const words = ['NaN', '-Infinity', '1e999', '-1', '0', '1e6', '999999', '1e-320', '4294967296', '0x7f', '{', '}', '']
words.push('ROOT', 'JOINT', 'End', 'Site', 'OFFSET', 'CHANNELS', 'MOTION', 'Frames:', 'begin', 'end', 'root', ':units')
words.push(
  'dof',
  'rx',
  'limits',
  'name',
  'lfemur',
  ',',
  ',,',
  '"',
  '\0',
  '\n',
  'Xposition',
  'LeftLeg',
  '\u00ff',
  '__proto__',
)

/** A text with one to three things changed. */
function damage(text: string, random: Generator): string {
  const below = (n: number) => random.randint(0, n, 1)[0]
  let damaged = text
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const found = [...damaged.matchAll(/[^\s,]+/g)]
    if (found.length === 0) return damaged
    const { index, 0: word } = found[below(found.length)]
    const [before, after] = [damaged.slice(0, index), damaged.slice(index + word.length)]
    const other = found[below(found.length)][0]
    const line = damaged.split('\n')
    switch (below(6)) {
      case 0:
      case 1:
        damaged = before + words[below(words.length)] + after
        break
      case 2:
        damaged = before + other + after
        break
      case 3:
        damaged = before + after
        break
      case 4:
        line.splice(below(line.length), 0, line[below(line.length)])
        damaged = line.join('\n')
        break
      default:
        damaged = below(4) === 0 ? damaged.slice(0, index) : damaged.slice(0, index) + damaged.slice(index + below(60))
    }
  }
  return damaged
}

/** Counts what becomes of damaged texts; fails for anything but a FileError of one line or a finite motion. */
function survive(t: Test, rounds: number, text: string, parse: (text: string) => SourceMotion): void {
  const random = new Generator(11)
  const wrong: string[] = []
  const kinds = new Set<string>()
  let refused = 0
  for (let round = 0; round < rounds; round++)
    try {
      const { poses, trans } = retarget('x', parse(damage(text, random)))
      if (!poses.every(Number.isFinite) || !trans.every(Number.isFinite)) wrong.push(`round ${round}: not finite`)
    } catch (error) {
      refused++
      if (!(error instanceof FileError)) wrong.push(`round ${round}: ${String((error as Error).stack)}`)
      else if (/[\n\r]/.test(error.message)) wrong.push(`round ${round}: several lines: ${error.message}`)
      else kinds.add(error.parts.what)
    }
  t.strictSame(wrong.slice(0, 5), [])
  t.ok(refused > rounds / 4 && refused < rounds, `${refused} of ${rounds} refused`)
  t.ok(kinds.size >= 3, [...kinds].join(', '))
}

const motion = walk(3)

await t.test('damaged bvh files', async t => survive(t, 600, bvhText(motion), text => parseBvh('x', text)))

await t.test('damaged skeletons', async t =>
  survive(t, 600, acclaimSkeleton, text => parseAcclaimMotion('x', acclaimMotion, parseAcclaimSkeleton('x', text))),
)

await t.test('damaged Acclaim motions', async t =>
  survive(t, 600, acclaimMotion, text => parseAcclaimMotion('x', text, parseAcclaimSkeleton('x', acclaimSkeleton))),
)

await t.test('damaged lists of rotation vectors', async t =>
  survive(t, 400, expmapText(3), text => parseExpmap('x', text)),
)

const refuses = (t: Test, read: () => unknown, message: RegExp) => t.throws(read, { name: FileError.name, message })

await t.test('counts are not believed', async t => {
  const text = bvhText(motion)
  const asks = (frames: string) => () => parseBvh('x', text.replace(/Frames: \d+/, `Frames: ${frames}`))
  refuses(t, asks('199999'), /line \d+: the file ends too early; expected 199999 frames of \d+ numbers/)
  refuses(t, asks('1e9'), /not a number that can be|bad number of frames/)
  refuses(t, asks('900000'), /bad number of frames; expected 1\.\.200000; got 900000$/)
  refuses(t, asks('2.5'), /bad number of frames/)
  refuses(t, asks('4'), /the file ends too early/)
  refuses(t, () => parseBvh('x', text.replace(/Frame Time: .*/, 'Frame Time: 0')), /bad frame time/)
})

await t.test('trees that are too deep, too wide, or run in circles', async t => {
  const deep = 'ROOT a\n' + '{ OFFSET 0 0 0 CHANNELS 0 JOINT b\n'.repeat(100_000)
  refuses(t, () => parseBvh('x', `HIERARCHY ${deep}`), /line \d+: joints too deep; expected 128 at most/)
  const leaf = 'JOINT b { OFFSET 0 0 0 CHANNELS 0 }\n'
  const wide = `HIERARCHY ROOT a { OFFSET 0 0 0 CHANNELS 0 ${leaf.repeat(100_000)} }`
  refuses(t, () => parseBvh('x', wide), /line 256: too many joints/)
  const circle = acclaimSkeleton.replace('lfemur ltibia', 'lfemur ltibia lhipjoint root')
  t.doesNotThrow(() => parseAcclaimSkeleton('x', circle), 'a bone named again begins a list of its own')
  const orphans = acclaimSkeleton.replace('root lhipjoint', 'ltibia root lhipjoint')
  refuses(t, () => parseAcclaimSkeleton('x', orphans), /a bone before the root/)
  const bone = (i: number) => `begin name b${i} direction 0 1 0 length 1 axis 0 0 0 XYZ end\n`
  const bones = Array.from({ length: 300 }, (_, i) => bone(i)).join('')
  refuses(t, () => parseAcclaimSkeleton('x', `:bonedata ${bones}`), /bad number of bones/)
})

await t.test('what is no person says what it is', async t => {
  const text = bvhText(motion)
  refuses(t, () => retarget('x', parseBvh('x', text.replaceAll('LeftLeg', 'Wing'))), /not the skeleton of a person/)
  refuses(t, () => parseBvh('x', bvhText(motion, { unit: 3 })), /no height of a person in any unit/)
  // Left and right at the wrong sides.
  const mirrored = text.replaceAll('Left', '?').replaceAll('Right', 'Left').replaceAll('?', 'Right')
  refuses(t, () => retarget('x', parseBvh('x', mirrored)), /does not stand as expected.*left at \+x/)
  const unusual = acclaimSkeleton.replace('TX TY TZ RX RY RZ', 'RX RY RZ TX TY TZ')
  refuses(t, () => parseAcclaimSkeleton('x', unusual), /line \d+: unusual root; expected tx; got "rx"/)
  refuses(t, () => parseExpmap('x', expmapText(2).replace(',', ',,')), /line 1: bad number of columns/)
})

await t.test('files that are not there, empty, too large, or of another kind', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'revision-motion-'))
  t.teardown(() => rm(folder, { recursive: true }))
  for (const [name, text, message] of [
    ['empty.bvh', '', /the file ends too early; expected HIERARCHY/],
    ['empty.txt', '', /bad number of frames/],
    ['empty.npz', '', /npz/],
    ['motion.fbx', 'x', /not a motion file by its name/],
    ['alone.amc', '1', /no skeleton/],
  ] as const) {
    await writeFile(join(folder, name), text)
    await t.rejects(readMotion(join(folder, name)), { name: FileError.name, message }, name)
  }
  await t.rejects(readMotion(join(folder, 'nowhere.bvh')), { name: FileError.name, message: /no such file/ })
  await t.rejects(readMotion(folder + '/none/a.amc'), { name: FileError.name })
  t.ok(motionLimits.bytes <= 2 ** 28)
})
