// `revision depth` as a user meets it.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../../pipeline/cli/program.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { fromOriginal } from '../../models/depth/original.js'
import { NodeFileSource, openSafetensors, readNpy, writeSafetensors } from '../../tensor/files/index.js'
import { makeTinyDepthModel } from '../support/depth.js'
import { golden } from '../support/paths.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const at = (...parts: string[]) => join(folder, ...parts)
const photo = golden('svd-pipeline-tiny/nocfg_resized.png')

/** The command in this process, with what it printed. */
async function depth(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const [out, error] = [t.capture(console, 'log'), t.capture(console, 'error')]
  const code = await runCli(['depth', ...args, '--runtime', 'wasm'])
  const lines = [...out(), ...error()].map(({ args }) => String(args[0]))
  out.restore()
  error.restore()
  return { code, lines }
}

await makeTinyDepthModel(at('model'))

await t.test('a picture of grey values and an array, of the size of the photograph', async t => {
  const [picture, array] = [at('depth.png'), at('depth.npy')]
  const done = await depth(photo, '--model', at('model'), '--out', picture, '--npy', array, '--size', '42')
  t.same(done, { code: 0, lines: [picture, array] })
  const { shape, data } = await readNpy(await NodeFileSource.open(array))
  t.same(shape, [75, 100])
  const grey = await readPicture(picture)
  t.match(grey, { width: 100, height: 75 })
  const nearest = data.indexOf(Math.max(...data))
  t.same([...grey.data.subarray(3 * nearest, 3 * nearest + 3)], [255, 255, 255], 'the nearest is white')
  t.equal(Math.min(...grey.data), 0, 'the farthest is black')
})

await t.test('a picture is written as PNG alone, whatever its name says', async t => {
  const { code, lines } = await depth(photo, '--model', at('model'), '--out', at('depth.jpg'))
  t.match(
    { code, lines },
    { code: 2, lines: [/--out: another kind of file; expected a name in \.png; got .*depth\.jpg$/] },
  )
})

await t.test('what cannot be used gets one line', async t => {
  const source = fromOriginal(await openSafetensors(golden('depth-anything-tiny/model.safetensors')))
  t.teardown(() => source.close())
  const entries = [...source.tensors.keys()].map(async name => ({ name, ...(await source.read(name)) }))
  const spoilt = (await Promise.all(entries)).map(entry =>
    entry.name === 'head.conv2.bias' ? { ...entry, data: (entry.data as Uint16Array).map(() => 0x7e00) } : entry,
  )
  await makeTinyDepthModel(at('spoilt'))
  await writeSafetensors(at('spoilt/model.safetensors'), spoilt)
  for (const [model, extra, message] of [
    ['none', [], /none.*no such file/],
    ['model', ['--size', '0'], /depth size: cannot be used; expected a whole number/],
    ['model', ['--npy', at('depth.txt')], /--npy: another kind of file; expected a name in \.npy; got/],
    ['spoilt', ['--size', '14'], /depth: the network gives numbers that are not finite/],
  ] as const) {
    const { code, lines } = await depth(photo, '--model', at(model), '--out', at('no.png'), ...extra)
    t.match({ code, lines }, { code: 2, lines: [message] }, String(message))
    t.equal(lines.length, 1)
  }
})
