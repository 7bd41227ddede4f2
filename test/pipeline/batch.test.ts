// `revision generate --batch`: many jobs from one file, of which some cannot be.

import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeTinyModel } from '../support/model.js'
import { golden, projectRoot } from '../support/paths.js'

const program = join(projectRoot, 'dist/pipeline/cli/main.js')
const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
await makeTinyModel(join(folder, 'svd'))
await cp(golden('svd-pipeline-tiny/nocfg_resized.png'), join(folder, 'photo.png'))

interface Outcome {
  code: number | string
  stdout: string
  stderr: string
}

/** Runs a batch of these lines in the folder. */
async function batch(lines: readonly (string | object)[], ...more: string[]): Promise<Outcome> {
  const text = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  await writeFile(join(folder, 'jobs.jsonl'), text)
  const args = [
    program,
    'generate',
    '--batch',
    'jobs.jsonl',
    '--model',
    'svd',
    '--width',
    '64',
    '--height',
    '64',
    ...more,
  ]
  const options = { cwd: folder, env: { ...process.env, REVISION_RUNTIME: 'wasm', REVISION_QUIET: '1' } }
  return new Promise(resolve => {
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })
}

const job = { image: 'photo.png', frames: 1, steps: 1, format: 'frames' }

await t.test('runs every line that can be, says which cannot, and skips what is done', async t => {
  const lines = [
    { ...job, out: 'a', seed: 1 },
    '{"out": "b", "image": ',
    '',
    { ...job, out: 'c', colour: 'red' },
    { ...job, out: 'd', image: 'none.png' },
    { ...job, out: 'a', seed: 2 },
    { ...job, out: 'e', 'motion-bucket': 9, motionBucket: 8 },
    { ...job, out: 'f', 'motion-bucket': 9 },
    { ...job, out: 7 },
    { ...job, out: 'g', frames: '2x' },
    '[]',
  ]
  const first = await batch(lines)
  t.equal(first.code, 2)
  t.equal(first.stdout, '')
  const told = first.stderr.split('\n').filter(line => line.startsWith('revision: '))
  const expected = [
    /jobs\.jsonl line 2: options: bad JSON/,
    /line 4: "colour": no option of a job; try/,
    /line 5: none\.png: there is no such file/,
    /line 6: out: line 1 has the same folder/,
    /line 7: "motionBucket": given twice/,
    /line 9: out: not a text; got 7/,
    /line 10: frames: not a number; got "2x"/,
    /line 11: .*a JSON object/,
  ]
  t.equal(told.length, expected.length, first.stderr)
  for (const [i, message] of expected.entries()) t.match(told[i], message)
  t.match(first.stderr, /line 8: f\n[^]*2 done, 0 skipped, 8 failed\n$/)
  const settings = JSON.parse(await readFile(join(folder, 'f/settings.json'), 'utf8')) as object
  t.match(settings, { motionBucket: 9, width: 64, frames: 1, image: 'photo.png', model: 'svd' })
  t.same((await readdir(join(folder, 'a'))).sort(), ['frame_0000.png', 'settings.json'])
  t.notOk(
    (await readdir(folder)).some(name => /^[b-eg]$/.test(name)),
    'nothing of the others',
  )

  const changed = [lines[0], { ...job, out: 'f', 'motion-bucket': 10 }]
  const second = await batch(changed, '--json')
  t.equal(second.code, 0, second.stderr)
  t.equal(second.stderr, '')
  const events = second.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { type: string; line?: number })
  t.match(events[0], { type: 'skip', line: 1, out: 'a' })
  t.match(events[1], { type: 'job', line: 2, out: 'f' })
  t.ok(
    events.slice(1, -1).every(({ line }) => line === 2),
    'each event tells its line',
  )
  t.match(events.at(-2), { type: 'done', files: [join(folder, 'f/settings.json'), join(folder, 'f/frame_0000.png')] })
  t.match(events.at(-1), { type: 'end', done: 1, skipped: 1, failed: 0 })

  await rm(join(folder, 'a/frame_0000.png'))
  t.match(await batch([lines[0]], '--quiet'), { code: 0, stdout: '', stderr: '' }, 'what is not whole is done again')
  t.ok((await readdir(join(folder, 'a'))).includes('frame_0000.png'))
})

await t.test('a batch that cannot be', async t => {
  t.match(await batch([], '--out', 'x'), { code: 2, stderr: /^revision: --out: each line of a batch has its own;/ })
  t.match(await batch([], '--checkpoint', 'x'), { code: 2, stderr: /^revision: --checkpoint: each line/ })
  t.match(await batch(['x'.repeat(2 ** 24 + 1)]), { code: 2, stderr: /^revision: jobs\.jsonl: too long/ })
  t.match(await batch(['\n'.repeat(10_001)]), { code: 2, stderr: /^revision: jobs\.jsonl: too many lines/ })
  t.match(await batch([]), { code: 0, stderr: '0 done, 0 skipped, 0 failed\n' })
  const missing = await batch([{ out: 'x' }])
  t.match(missing, { code: 2, stderr: /line 1: image: missing/ })
})
