// `revision motion`, and what it draws.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../../pipeline/cli/program.js'
import { drawScene } from '../../pipeline/render/figures.js'
import { Generator } from '../../tensor/index.js'
import { generatedKinds, generateMotion } from '../../train/motion/generate.js'
import { readScene, sceneFrames, personOf } from '../../train/motion/scene-file.js'
import { bvhText, walk } from '../support/motion.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-motion-'))
t.teardown(() => rm(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

async function cli(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  const [out, errors] = [t.capture(console, 'log'), t.capture(console, 'error')]
  const code = await runCli(['motion', ...args])
  const textOf = (calls: { args: unknown[] }[]) => calls.map(({ args }) => String(args[0])).join('\n')
  const outcome = { code, out: textOf(out()), errors: textOf(errors()) }
  out.restore()
  errors.restore()
  return outcome
}

await t.test('a capture is converted, told of, and drawn', async t => {
  await writeFile(at('walk.bvh'), bvhText(walk(61, 60), { fps: 120 }))
  t.equal((await cli('convert', at('walk.bvh'), '--fps', '60', '--out', at('walk.npz'))).code, 0)
  t.equal(sceneFrames(await readScene(at('walk.npz'))), 31)
  const { out } = await cli('info', at('walk.npz'), '--json')
  t.match(JSON.parse(out), { frames: 31, fps: 30, entities: [{ kind: 'human' }] })
  t.match(
    (await cli('info', at('walk.npz'))).out,
    /^31 frames, 1\.03 s at 30 a second\n {2}human, motion strength 0\.\d\d$/,
  )
  for (const [name, head] of [
    ['walk.png', '\x89PNG'],
    ['walk.gif', 'GIF89a'],
  ]) {
    t.equal((await cli('show', at('walk.npz'), '--out', at(name))).code, 0)
    t.ok((await readFile(at(name), 'latin1')).startsWith(head), name)
  }
})

await t.test('what is generated is the same for the same seed', async t => {
  for (const name of ['a.npz', 'b.npz'])
    t.equal((await cli('generate', '--kind', 'trot', '--seed', '3', '--frames', '8', '--out', at(name))).code, 0)
  t.strictSame(await readFile(at('a.npz')), await readFile(at('b.npz')))
})

await t.test('mistakes are told in one line', async t => {
  await writeFile(at('broken.bvh'), 'HIERARCHY ROOT {')
  for (const [args, message] of [
    [['show', at('none.bvh'), '--out', at('x.png')], /there is no such file/],
    [['show', at('broken.bvh'), '--out', at('x.png')], /broken\.bvh: line 1:/],
    [['show', at('walk.npz'), '--out', at('x.jpg')], /--out: no picture by its name; expected \.gif or \.png/],
    [['convert', at('walk.bvh'), '--out', at('x.bvh')], /--out: not a motion file by its name/],
    [['info', at('walk.npz'), '--fps', '60'], /--fps: means nothing to a \.npz/],
    [['generate', '--kind', 'roll', '--frames', '1e9', '--out', at('x.npz')], /--frames: out of range/],
  ] as const) {
    const { code, errors } = await cli(...args)
    t.not(code, 0)
    t.match(errors, message)
    t.notMatch(errors, /\n/)
  }
})

await t.test('every entity is seen, its left in red and its right in blue', async t => {
  const entities = [personOf(walk(4)), ...generatedKinds.map(kind => generateMotion(kind, 4, new Generator(1)))]
  for (const entity of entities) {
    const [picture] = drawScene([entity], [3], 120)
    const seen = new Set<string>()
    for (let i = 0; i < picture.data.length; i += 3) seen.add(picture.data.subarray(i, i + 3).join())
    const wanted = entity.kind === 'object' ? ['30,140,80'] : ['214,62,52', '44,98,214', '60,60,60']
    t.ok(
      wanted.every(colour => seen.has(colour)),
      entity.kind,
    )
  }
})
