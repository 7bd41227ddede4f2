// The bench of a model of the real size, on the tiny one.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { makeTinyModel } from '../support/model.js'
import { projectRoot } from '../support/paths.js'

const exec = promisify(execFile)
const program = join(projectRoot, 'dist/bench/real.js')
const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
await makeTinyModel(folder)

void t.test('it tells of loading and of a forward pass', async t => {
  const json = join(folder, 'results', 'real.json')
  const { stdout } = await exec(process.execPath, [program, '--real', folder, '--runtime', 'wasm', '--json', json])
  t.match(
    stdout,
    /^wasm .*\nloading .* beside the weights\nUNet forward, 2 frames of 64 x 64: .*\npeaks: .* resident\n$/,
  )
  interface Report {
    weights: number
    forward: { peakDevice: number; peakRss: number }
  }
  const { weights, forward } = JSON.parse(await readFile(json, 'utf8')) as Report
  t.ok(weights > 0 && forward.peakDevice > weights && forward.peakRss > forward.peakDevice)
})

void t.test('what it cannot use is one line', async t => {
  for (const args of [[], ['--real', join(folder, 'nothing')], ['--real', folder, '--size', '65x64']])
    await t.rejects(exec(process.execPath, [program, ...args]), { code: 2 }, args.join(' '))
})

void t.test('nor is what the bench of fits cannot use', async t => {
  const fit = join(projectRoot, 'dist/bench/fit.js')
  const mistakes: [string[], RegExp][] = [
    [[], /expected --fit MOTIONS/],
    [['--fit', folder, '--takes', 'many'], /up to 1000 takes/],
    [['--fit', join(folder, 'nothing')], /nothing: no folder of motions; got ENOENT/],
    [['--fit', folder], /no motion in it; expected one of 64 frames or more/],
  ]
  for (const [args, stderr] of mistakes)
    await t.rejects(exec(process.execPath, [fit, ...args]), { code: 2, stderr }, args.join(' '))
  t.match((await exec(process.execPath, [fit, '--help'])).stdout, /--takes N/)
})
