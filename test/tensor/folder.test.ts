// Folders are made level by level, and every refusal is told.

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeFolder } from '../../tensor/files/index.js'

const root = await mkdtemp(join(tmpdir(), 'folder-'))
t.teardown(() => rm(root, { recursive: true }))

await t.test('a folder is made with those above it, by several at a time', async t => {
  const path = join(root, 'a/b/c')
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(root, 'a/b/d'))])
  t.ok((await stat(path)).isDirectory())
  await makeFolder(path)
})

await t.test('what cannot be made is refused, and never waited for', async t => {
  await writeFile(join(root, 'file'), '')
  const places: [string, RegExp][] = [
    ['/proc/none/out', /\/proc\/none\/out: the folder cannot be made; got ENOENT/],
    [join(root, 'file'), /got a file of that name/],
    [join(root, 'file/out'), /got ENOTDIR/],
  ]
  for (const [path, message] of places) await t.rejects(makeFolder(path), { name: 'FileError', message })
})
