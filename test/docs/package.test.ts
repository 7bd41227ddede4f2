// The package as others get it: its entrances resolve, by name, to what they promise, and it carries nothing else.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import t from 'tap'
import { projectRoot } from '../support/paths.js'

const manifest = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as Record<string, object>

await t.test('publint finds nothing to complain of', async t => {
  const { messages } = await publint({ pkgDir: projectRoot, strict: true, pack: false })
  t.same(
    messages.map(message => formatMessage(message, manifest)),
    [],
  )
})

await t.test('every entrance can be imported by the name of the package', async t => {
  const names = {
    tensor: 'Tensor',
    kernels: 'openRuntime',
    nn: 'Linear',
    models: 'UNetSpatioTemporalConditionModel',
    train: 'trainPPPM',
    pipeline: 'generate',
  }
  const entrances = Object.keys(manifest.exports).filter(name => name !== './package.json')
  t.same(
    entrances,
    Object.keys(names).map(floor => `./${floor}`),
  )
  for (const [floor, name] of Object.entries(names)) {
    const entrance = (await import(`revision/${floor}`)) as Record<string, unknown>
    t.type(entrance[name], 'function', `${name} of revision/${floor}`)
  }
})

await t.test('the packed files are the floors, the weights and the documentation', async t => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=silent']
  const { stdout } = await promisify(execFile)(npm, args, { cwd: projectRoot, maxBuffer: 2 ** 24 })
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const top = new Set(
    files.map(({ path }) =>
      path
        .split('/')
        .slice(0, path.startsWith('dist/') ? 2 : 1)
        .join('/'),
    ),
  )
  const floors = ['tensor', 'kernels', 'nn', 'models', 'train', 'pipeline'].map(floor => `dist/${floor}`)
  t.same([...top].sort(), [...floors, 'docs', 'weights', 'LICENSE', 'README.md', 'package.json'].sort())
})
