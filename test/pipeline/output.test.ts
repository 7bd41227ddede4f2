// The output folder: whole, or not at all.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { OutputFolder } from '../../pipeline/media/output.js'

const dot = { width: 1, height: 1, data: Uint8Array.from([1, 2, 3]) }

await t.test('nothing is seen of the results until they are all there', async t => {
  const root = t.testdir()
  const out = await OutputFolder.create(join(root, 'deep/er/out'))
  await out.writeFrame(0, dot)
  await out.writeFrame(1, dot)
  await writeFile(out.file('video.mp4'), 'video')
  t.notOk((await readdir(join(root, 'deep/er'))).includes('out'))
  await out.commit()
  t.same(await readdir(join(root, 'deep/er')), ['out'])
  t.same((await readdir(out.path)).sort(), ['frame_0000.png', 'frame_0001.png', 'video.mp4'])
})

await t.test('a second run replaces its own files and the frames of the first, and leaves the rest', async t => {
  const root = t.testdir({
    out: { 'frame_0000.png': 'old', 'frame_0007.png': 'old', 'video.mp4': 'old', 'frame_notes.txt': 'mine', sub: {} },
  })
  const path = join(root, 'out')
  const out = await OutputFolder.create(path)
  await out.writeFrame(0, dot)
  await writeFile(out.file('video.mp4'), 'new')
  t.equal(await readFile(join(path, 'video.mp4'), 'utf8'), 'old')
  await out.commit()
  t.same((await readdir(path)).sort(), ['frame_0000.png', 'frame_notes.txt', 'sub', 'video.mp4'])
  t.equal(await readFile(join(path, 'video.mp4'), 'utf8'), 'new')
  t.same(await readdir(root), ['out'])
})

await t.test('a run without frames leaves the frames that are there', async t => {
  const root = t.testdir({ out: { 'frame_0007.png': 'old' } })
  const out = await OutputFolder.create(join(root, 'out'))
  await writeFile(out.file('video.mp4'), 'new')
  await out.commit()
  t.same((await readdir(out.path)).sort(), ['frame_0007.png', 'video.mp4'])
})

await t.test('discard leaves no trace, and none of what others made', async t => {
  const root = t.testdir({ old: { 'video.mp4': 'old' } })
  for (const path of ['new', 'deep/er/new', 'old']) {
    const out = await OutputFolder.create(join(root, path))
    await out.writeFrame(0, dot)
    out.discard()
    out.discard()
  }
  t.same(await readdir(root), ['old'])
  t.same(await readdir(join(root, 'old')), ['video.mp4'])

  const out = await OutputFolder.create(join(root, 'deep/er/out'))
  await mkdir(join(root, 'deep/other'))
  out.discard()
  t.same(await readdir(join(root, 'deep')), ['other'])
})

await t.test('what was not committed is discarded at the end of its block', async t => {
  const root = t.testdir()
  {
    using out = await OutputFolder.create(join(root, 'out'))
    await out.writeFrame(0, dot)
  }
  t.same(await readdir(root), [])
  {
    using out = await OutputFolder.create(join(root, 'out'))
    await out.writeFrame(0, dot)
    await out.commit()
  }
  t.same(await readdir(root), ['out'])
})

await t.test('what a killed program left is removed, and what a running one writes is not', async t => {
  const root = t.testdir({ old: {} })
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  const id = crypto.randomUUID()
  for (const path of ['new', 'old']) {
    const running = await OutputFolder.create(join(root, path))
    const partial = running.file('x').slice(0, -2)
    await running.writeFrame(0, dot)
    const named = (owner: string) => partial.replace(new RegExp(`${process.pid}-[\\w-]+$`), owner)
    const killed = named(`${pid}-${id}`)
    const others = [
      named(`${process.ppid}-${id}`),
      named('notes'),
      `${killed}.txt`,
      killed.replace('.partial-', '.partial-elsewhere-'),
    ]
    for (const folder of [killed, ...others]) await mkdir(folder)
    const next = await OutputFolder.create(join(root, path))
    t.notOk(existsSync(killed), path)
    for (const folder of [partial, ...others]) t.ok(existsSync(folder), folder)
    running.discard()
    next.discard()
  }
})

await t.test('a place that cannot be written to is known before the work', async t => {
  const root = t.testdir({ file: 'text' })
  for (const path of ['', ' ', join(root, 'file'), join(root, 'file/out'), '/proc/revision-out', 'a\0b']) {
    await t.rejects(OutputFolder.create(path), { name: 'UsageError' }, JSON.stringify(path))
  }
  t.same(await readdir(root), ['file'])
})

await t.test('a folder in the way of a file stops the whole move', async t => {
  const root = t.testdir({ out: { 'video.mp4': {}, 'frame_0001.png': 'old' } })
  const out = await OutputFolder.create(join(root, 'out'))
  await out.writeFrame(0, dot)
  await writeFile(out.file('video.mp4'), 'new')
  await t.rejects(out.commit(), { name: 'FileError', message: /a folder named video.mp4 is in the way/ })
  out.discard()
  t.same((await readdir(join(root, 'out'))).sort(), ['frame_0001.png', 'video.mp4'])
})

await t.test('names stay inside, and a closed folder says so', async t => {
  const out = await OutputFolder.create(join(t.testdir(), 'out'))
  for (const name of ['', '.', '..', '../x', 'a/b', '/etc/x']) t.throws(() => out.file(name), { name: 'UsageError' })
  out.discard()
  t.throws(() => out.file('x'), { name: 'LifetimeError' })
  await t.rejects(out.commit(), { name: 'LifetimeError' })
})
