// What `revision inspect` says of checkpoints, whole and hostile.

import { execFile } from 'node:child_process'
import { mkdtemp, mkdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCli } from '../../pipeline/cli/program.js'
import { writeSafetensors } from '../../tensor/files/index.js'
import { safetensorsBytes } from '../support/files.js'
import { makeTinyModel } from '../support/model.js'
import { projectRoot } from '../support/paths.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const at = (...parts: string[]) => join(folder, ...parts)

/** Runs a command in this process, for there are many. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [out, error] = [t.capture(console, 'log'), t.capture(console, 'error')]
  const code = await runCli(args)
  const textOf = (calls: { args: unknown[] }[]) => calls.map(({ args }) => `${String(args[0])}\n`).join('')
  const outcome = { code, stdout: textOf(out()), stderr: textOf(error()) }
  out.restore()
  error.restore()
  return outcome
}

const inspect = (...args: string[]) => run('inspect', ...args)

await writeSafetensors(at('one.safetensors'), [
  { name: 'bias', dtype: 'f32', shape: [3], data: new Float32Array(3) },
  { name: 'weight', dtype: 'f16', shape: [3, 2], data: new Uint16Array(6) },
])
const one = {
  parameters: 9,
  bytes: 24,
  dtypes: ['F32', 'F16'],
  tensors: [
    { name: 'bias', dtype: 'F32', shape: [3], parameters: 3, bytes: 12 },
    { name: 'weight', dtype: 'F16', shape: [3, 2], parameters: 6, bytes: 12 },
  ],
}

await t.test('one file', async t => {
  const { code, stdout } = await inspect(at('one.safetensors'))
  t.equal(code, 0)
  t.same(stdout.split('\n'), [
    at('one.safetensors'),
    '  bias  F32 [3]  3 parameters, 12 bytes',
    '  weight  F16 [3, 2]  6 parameters, 12 bytes',
    '2 tensors, 9 parameters, 0.0 MiB, F32 and F16',
    '',
  ])
  const file = at('one.safetensors')
  const json = JSON.parse((await inspect(file, '--json')).stdout) as object
  t.strictSame(json, { path: file, parts: [{ file, tensors: 2, parameters: 9, bytes: 24 }], ...one })
})

await t.test('shards by their index, and a folder of one network', async t => {
  const map = { weight_map: { bias: 'one.safetensors', weight: 'one.safetensors' } }
  await writeFile(at('model.safetensors.index.json'), JSON.stringify(map))
  for (const path of [at('model.safetensors.index.json'), folder])
    t.match(JSON.parse((await inspect(path, '--json')).stdout), one, path)
})

await t.test('a model folder with all its parts', async t => {
  await makeTinyModel(at('model'))
  const { stdout } = await inspect(at('model'), '--json')
  const json = JSON.parse(stdout) as {
    parameters: number
    parts: { part: string; tensors: number }[]
    tensors: object[]
  }
  t.same(
    json.parts.map(({ part }) => part),
    ['image_encoder', 'unet', 'vae'],
  )
  t.equal(
    json.tensors.length,
    json.parts.reduce((sum, { tensors }) => sum + tensors, 0),
  )
  t.match(json.tensors[0], { part: 'image_encoder' })
  t.match(
    (await inspect(at('model'))).stdout,
    /1426 tensors,[^]*\n\d+ tensors, [\d,]+ parameters, [\d.]+ MiB, F\d\d\n$/,
  )
})

await t.test('what is no checkpoint gets one line and exit code 2', async t => {
  const header = (json: string, data = 0) => safetensorsBytes(json, data)
  const files: [string, Uint8Array | string, RegExp][] = [
    ['empty', '', /too short/],
    ['text', 'no checkpoint at all', /no safetensors file; expected a header of at most/],
    ['endless', Buffer.alloc(16, 0xff), /no safetensors file/],
    ['twice', header('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":1}', 1), /duplicate key/],
    ['beyond', header('{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}', 1), /truncated/],
    ['huge', header('{"a":{"dtype":"F32","shape":[9007199254740991],"data_offsets":[0,4]}}', 4), /too large/],
    ['deep', header('{"a":'.repeat(100)), /unknown field|bad JSON/],
    ['index', '{"weight_map":{"a":"../../etc/passwd"}}', /bad shard name/],
    ['lines', header('{"a\\nb":{"dtype":"U9","shape":[1],"data_offsets":[0,1]}}', 1), /unknown dtype/],
  ]
  for (const [name, bytes, message] of files) {
    const path = at(name === 'index' ? 'bad.json' : `${name}.safetensors`)
    await writeFile(path, bytes)
    for (const args of [[path], [path, '--json']]) {
      const { code, stdout, stderr } = await inspect(...args)
      t.match({ code, stdout }, { code: 2, stdout: '' }, name)
      t.match(stderr, /^revision: .*\n$/, `${name}: one line`)
      t.match(stderr, message, name)
    }
  }
  await truncate(at('one.safetensors'), 100)
  t.match(await inspect(at('one.safetensors')), { code: 2, stderr: /truncated/ })
  await mkdir(at('nothing'))
  t.match(await inspect(at('nothing')), { code: 2, stderr: /no weights in this folder/ })
  t.match(await inspect(at('none')), { code: 2, stderr: /there is no such file/ })
  t.match(await inspect(), { code: 2, stderr: /^revision: .*\n$/ })
})

await t.test('names cannot write over the terminal', async t => {
  const entry = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
  await writeFile(at('name.safetensors'), safetensorsBytes(`{"a\\u001b[2J\\n${'x'.repeat(500)}":${entry}}`, 1))
  const { stdout } = await inspect(at('name.safetensors'))
  t.match(stdout.split('\n')[1], /^ {2}a \[2J x{190,200}\.\.\. {2}U8 \[1\]/)
})

/** What a shell gets to offer; asked for as it asks, for this ends the process. */
const complete = (...words: string[]) =>
  new Promise<string>(resolve => {
    const command = [join(projectRoot, 'dist/pipeline/cli/main.js'), '--get-yargs-completions', 'revision', ...words]
    execFile(process.execPath, command, (_, stdout) => resolve(stdout))
  })

await t.test('help and completion', async t => {
  const { stdout: help } = await run('--help')
  for (const command of ['generate', 'fetch', 'inspect', 'random-checkpoint', 'doctor', 'completion'])
    t.match(help, new RegExp(`\\n  revision ${command} `), command)
  t.match(await run('completion'), { stdout: /_revision_yargs_completions/ })
  t.match(await complete('fetch', ''), /^svd-xt$/m)
})
