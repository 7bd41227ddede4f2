// Which folders `revision generate` may fill: nothing that somebody else made is replaced.

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkResults } from '../../pipeline/results.js'

const place = await mkdtemp(join(tmpdir(), 'revision-results-'))
t.teardown(() => rm(place, { recursive: true }))
const image = join(place, 'photo.png')
await writeFile(image, '')

/** A folder with the given files. */
async function folder(name: string, files: Record<string, string>): Promise<string> {
  const path = join(place, name)
  await mkdir(path)
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text)
  return path
}

await t.test('takes a new folder, one with other files, and one of an earlier run', async t => {
  await t.resolves(checkResults(join(place, 'new'), image))
  await t.resolves(checkResults(await folder('others', { 'mine.txt': '', 'frame_1.png': '' }), image))
  const earlier = { 'frame_0000.png': '', 'settings.json': '{"program": "revision", "frames": 1}' }
  await t.resolves(checkResults(await folder('earlier', earlier), image))
})

await t.test("refuses to replace somebody else's files, or the picture itself", async t => {
  const foreign = await folder('foreign', { 'frame_0050.png': '' })
  await t.rejects(checkResults(foreign, image), {
    name: 'UsageError',
    message: `${foreign}: it holds a frame_0050.png that this program did not make; try another output folder`,
  })
  for (const text of ['{"theme": "dark"}', 'null', '{', ' '.repeat(2 ** 17)])
    await t.rejects(
      checkResults(await folder(`settings${text.length}`, { 'settings.json': text }), image),
      /did not make/,
    )
  const own = await folder('own', { 'frame_0000.png': '', 'settings.json': '{"program": "revision"}' })
  await t.rejects(checkResults(own, join(own, 'frame_0000.png')), /would replace the picture it is made from/)
})

await t.test('finds what is in the way before any work is done', async t => {
  const blocked = await folder('blocked', {})
  await mkdir(join(blocked, 'video.mp4'))
  await t.rejects(checkResults(blocked, image), /a folder named video.mp4 is in the way/)
  await symlink(join(place, 'nowhere'), join(place, 'link'))
  await t.rejects(checkResults(join(place, 'link'), image), /a link that leads nowhere/)
})
