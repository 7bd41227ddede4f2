// The command line as a user meets it: the built program as a child process, mostly given what it cannot use.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { crc32 } from 'node:zlib'
import t from 'tap'
import { report } from '../../pipeline/cli/exit.js'
import { readMasks } from '../../pipeline/cli/masks.js'
import { tenths } from '../../pipeline/cli/listener.js'
import { Progress } from '../../pipeline/cli/progress.js'
import { Stopped } from '../../pipeline/cli/stop.js'
import { NotFiniteError } from '../../pipeline/finite.js'
import { encodePng } from '../../pipeline/media/encode.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { DeviceLostError, writeSafetensors } from '../../tensor/index.js'
import { openAdapter } from '../../tensor/webgpu/adapter.js'
import { makeTinyModel } from '../support/model.js'
import { golden, projectRoot } from '../support/paths.js'

const program = join(projectRoot, 'dist/pipeline/cli/main.js')

interface Outcome {
  code: number | string
  stdout: string
  stderr: string
}

const environment = { ...process.env, REVISION_QUIET: '1', REVISION_DEBUG: '', REVISION_RUNTIME: 'wasm' }

function revision(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const options = { env: { ...environment, ...env } }
  return new Promise(resolve => {
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })
}

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const at = (...parts: string[]) => join(folder, ...parts)

const model = at('model')
await makeTinyModel(model)
const photo = golden('svd-pipeline-tiny/square.png')

/** A copy of the model with one thing changed. */
async function broken(name: string, change: (path: string) => Promise<unknown>): Promise<string> {
  await cp(model, at(name), { recursive: true })
  await change(at(name))
  return at(name)
}

async function edited(name: string, file: string, fields: object): Promise<string> {
  return broken(name, async path => {
    const config = JSON.parse(await readFile(join(path, file), 'utf8')) as object
    await writeFile(join(path, file), JSON.stringify({ ...config, ...fields }))
  })
}

// Whole but for its size: the header's checksum is right.
const hugePng = encodePng({ width: 1, height: 1, data: new Uint8Array(3) })
const header = new DataView(hugePng.buffer, hugePng.byteOffset)
for (const offset of [16, 20]) header.setUint32(offset, 100_000)
header.setUint32(29, crc32(hugePng.subarray(12, 29)))
await writeFile(at('huge.png'), hugePng)
await writeFile(at('text.png'), 'no picture')
await writeFile(at('file'), '')
for (const [name, size, count] of [
  ['few', 64, 1],
  ['small', 32, 2],
  ['good', 64, 2],
] as const) {
  await mkdir(at(name))
  const data = new Uint8Array(3 * size * size).fill(3)
  for (let i = 0; i < count; i++) await writeFile(at(name, `${i}.png`), encodePng({ width: size, height: size, data }))
}

const good = { model, image: photo, out: at('out'), frames: '2', steps: '1', width: '64', height: '64' }
const withOptions = (options: Partial<Record<string, string>>) =>
  Object.entries({ ...good, ...options }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]))

const weights = 'unet/diffusion_pytorch_model.safetensors'
const wrong: [string, Partial<Record<string, string>>, RegExp][] = [
  ['no model', { model: undefined }, /--model: missing; try revision generate --help/],
  ['an unknown option', { colour: 'red' }, /"colour": no such command, option or argument/],
  ['an option without its value', { seed: '' }, /--seed: not a number; got ""/],
  ['no frames', { frames: '0' }, /--frames: not an integer in bounds; expected 1\.\.256; got 0/],
  ['half a step', { steps: '1.5' }, /--steps: not an integer in bounds/],
  ['words for numbers', { 'max-guidance': 'much' }, /--max-guidance: not a number; got "much"/],
  ['endless guidance', { 'min-guidance': 'Infinity' }, /--min-guidance: not a number in bounds/],
  ['a crooked size', { width: '100' }, /--width: 100 is not a multiple of 8; try 96 or 104/],
  ['a tiny size', { height: '8' }, /--height: 8 is too small for the model; try 64/],
  ['an endless video', { frames: '256', width: '4096', height: '4096' }, /too many pixels/],
  ['a seed below zero', { seed: '-1' }, /--seed: not an integer/],
  [
    'an unknown runtime',
    { runtime: 'abacus' },
    /--runtime: not one of its values; expected reference, webgpu or wasm; got "abacus"/,
  ],
  ['an unknown adapter', { adapter: 'warp' }, /--adapter: not one of its values; .*got "warp"/],
  ['no such picture', { image: at('none.png') }, /none\.png: there is no such file\n/],
  ['no picture', { image: at('text.png') }, /text\.png: not a picture that can be read/],
  ['a folder for a picture', { image: folder }, /not a regular file/],
  [
    'a huge picture',
    { image: at('huge.png') },
    /huge\.png: the picture has a size that cannot be used; .*; got 100000 x 100000/,
  ],
  ['no such model', { model: at('none') }, /none: no such folder; try the folder of a diffusers model/],
  ['a file for a model', { model: photo }, /no such folder/],
  ['no model in the folder', { model: at('few') }, /no whole model: unet\/ is missing/],
  ['a model without weights', { model: await broken('bare', path => rm(join(path, weights))) }, /unet: no weights/],
  [
    'truncated weights',
    { model: await broken('cut', path => truncate(join(path, 'vae/diffusion_pytorch_model.safetensors'), 2_000_000)) },
    /vae.*diffusion_pytorch_model\.safetensors: the file is truncated; expected \d+ bytes; got 2000000/,
  ],
  [
    'a broken configuration',
    { model: await broken('garbled', path => writeFile(join(path, 'vae/config.json'), '{')) },
    /vae.config\.json: bad JSON/,
  ],
  [
    'a huge configuration',
    { model: await broken('long', path => writeFile(join(path, 'vae/config.json'), ' '.repeat(2 ** 21))) },
    /vae.config\.json: too long/,
  ],
  [
    'another model',
    { model: await edited('other', 'model_index.json', { unet: ['diffusers', 'UNet2DConditionModel'] }) },
    /model_index\.json: .*unet/,
  ],
  [
    'a model for something else',
    { model: await edited('still', 'model_index.json', { _class_name: 'StableDiffusionPipeline' }) },
    /_class_name must be one of StableVideoDiffusionPipeline, not "StableDiffusionPipeline"/,
  ],
  [
    'another scheduler',
    { model: await edited('eps', 'scheduler/scheduler_config.json', { prediction_type: 'epsilon' }) },
    /prediction_type must be "v_prediction"/,
  ],
  [
    'parts that do not fit',
    { model: await edited('wide', 'image_encoder/config.json', { projection_dim: 64 }) },
    /cross_attention_dim is the image encoder's projection_dim, 64/,
  ],
  [
    'weights of another shape',
    { model: await edited('thin', 'unet/config.json', { block_out_channels: [32, 32, 64, 64] }) },
    /weights do not fit the model/,
  ],
  ['too few masks', { masks: at('few') }, /not one mask for each frame; expected 2 PNG files; got 1/],
  ['masks of another size', { masks: at('small') }, /not of the size of the video; expected 64 x 64; got 32 x 32/],
  ['no masks', { masks: at('none') }, /there is no such folder of masks/],
  ['a file in the place of the results', { out: at('file') }, /the output folder cannot be made or written to/],
  ['an empty name for the results', { out: '' }, /--out: empty/],
  ['a format of films', { format: 'gif,avi' }, /--format: no such format; expected some of frames, .*; got "avi"/],
  ['previews of no step', { preview: '0' }, /--preview: not a number of steps; got 0/],
  ['checkpoints nowhere', { 'checkpoint-every': '2' }, /--checkpoint-every: means nothing without --checkpoint/],
  ['an adapter that is not used', { runtime: 'wasm', adapter: 'lavapipe' }, /--adapter: means nothing to the wasm/],
  ['threads that are not used', { runtime: 'reference', threads: '2' }, /--threads: means nothing to the reference/],
]

/** Runs `task` over all items, a few at a time. */
async function inParallel<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item)
  }
  await Promise.all([worker(), worker(), worker()])
}

await t.test('what cannot be used gets exactly one line, exit code 2 and no results', async t => {
  await inParallel(wrong, async ([name, options, message]) => {
    const { code, stdout, stderr } = await revision(['generate', ...withOptions(options)])
    t.equal(code, 2, `${name}: exit code`)
    t.equal(stdout, '', `${name}: standard output`)
    t.match(stderr, /^revision: .*\n$/, `${name}: one line`)
    t.match(stderr, message, name)
  })
  t.notOk(
    (await readdir(folder)).some(name => name.startsWith('out')),
    'nothing was written',
  )
})

await t.test(
  'a place that may not be written to',
  { skip: process.getuid?.() === 0 || process.platform === 'win32' },
  async t => {
    await mkdir(at('locked'))
    await chmod(at('locked'), 0o500)
    const { code, stderr } = await revision(['generate', ...withOptions({ out: at('locked', 'out') })])
    t.equal(code, 2)
    t.match(stderr, /cannot be made or written to; got EACCES/)
  },
)

await t.test('no command, unknown commands, help and version', async t => {
  const hint = 'try revision generate --help'
  await writeFile(at('long.json'), new Uint8Array(2 ** 20 + 1))
  const mistakes: [string[], string][] = [
    [[], 'arguments: a command is missing; try revision --help'],
    [['paint'], '"paint": no such command, option or argument; try revision --help'],
    [['doctor', '--colour'], '"colour": no such command, option or argument; try revision doctor --help'],
    [['generate', '--seed'], `--seed: its value is missing; ${hint}`],
    [['generate', '--seed', '1', '--seed', '2'], '--seed: given more than once'],
    [
      ['fetch', 'sd', '--to', 'x'],
      'model: not one of its values; expected svd, svd-xt, svd-xt-1.1 or depth-anything-v2-small; got "sd"; ',
    ],
    [['fetch', 'svd'], '--to: missing; try revision fetch --help'],
    [['verify'], 'folder: missing; try revision verify --help'],
    [['doctor', '--threads', 'two'], '--threads: not a number'],
    [['train', 'pppm', '--config', 'none.json', '--motions', 'x', '--out', 'y'], 'none.json: there is no such file'],
    [['train', 'pppm', '--config', at('long.json'), '--motions', 'x', '--out', 'y'], `${at('long.json')}: too long`],
  ]
  for (const [args, message] of mistakes) {
    const { code, stdout, stderr } = await revision(args, { LANG: 'de_DE.UTF-8' })
    t.ok(stderr.startsWith(`revision: ${message}`), `${args.join(' ')}: ${stderr}`)
    t.match(
      { code, stdout, lines: stderr.trimEnd().split('\n').length },
      { code: 2, stdout: '', lines: 1 },
      args.join(' '),
    )
  }
  const { stdout } = await revision(['generate', '--help'])
  for (const option of ['--motion-bucket', '--max-guidance', '--decode-chunk']) t.match(stdout, option)
  t.match(await revision(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

await t.test('a bug is told as one; stacks are for those who ask', async t => {
  const tell = (error: unknown) => {
    const captured = t.capture(console, 'error')
    const code = report(error)
    return { code, lines: captured().map(({ args }) => String(args[0])) }
  }
  t.match(tell(new RangeError('one\ntwo')), { code: 1, lines: [/^revision: internal error, .*: one two$/] })
  t.match(tell(new Stopped('SIGINT')), { code: 130, lines: ['revision: stopped'] })
  t.match(tell(new Stopped('SIGHUP')), { code: 129 })
  const parts = { where: 'unet', what: 'gone' }
  t.match(tell(new DeviceLostError(parts)), { code: 1, lines: ['revision: unet: gone'] })
  t.match(tell(new NotFiniteError(parts)), { code: 2, lines: ['revision: unet: gone'] })
  const debugged = await revision(['generate', ...withOptions({ frames: '0' })], { REVISION_DEBUG: '1' })
  t.match(debugged, { code: 2, stderr: /\n\s+at / })
})

await t.test('a reader that goes away ends the program quietly', { skip: process.platform === 'win32' }, async t => {
  const child = spawn(process.execPath, [program, 'generate', '--help'], { env: environment })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => (stderr += String(data)))
  t.same(await once(child, 'close'), [141, null])
  t.equal(stderr, '')
})

await t.test('signals stop a run and leave nothing', { skip: process.platform === 'win32' }, async t => {
  const cases: [string, RegExp, Partial<Record<string, string>>, NodeJS.Signals, number][] = [
    ['terminated before the first stage', /1000 steps, on/, { steps: '1000' }, 'SIGTERM', 143],
    ['Ctrl-C between steps', /step 1\/1000/, { steps: '1000', preview: '1' }, 'SIGINT', 130],
    ['Ctrl-C while frames are decoded', /vae decoder \.\.\./, {}, 'SIGINT', 130],
  ]
  await inParallel(cases, async ([name, moment, options, signal, expected]) => {
    const place = at(`stopped ${name}`)
    if (options.preview) await mkdir(place)
    const args = [program, 'generate', ...withOptions({ ...options, frames: '1', out: join(place, 'out') })]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env: environment })
    let stderr = ''
    let partial: string[] = []
    child.stderr.on('data', (data: Buffer) => {
      stderr += String(data)
      if (child.killed || !moment.test(stderr)) return
      partial = readdirSync(place)
      child.kill(signal)
    })
    const [code] = (await once(child, 'close')) as [number]
    t.equal(code, expected, `${name}: exit code, ${stderr}`)
    t.match(stderr, 'stopping ... (again: at once)', name)
    t.match(partial[0], /^out\.partial-/, `${name}: there was something to remove`)
    t.same(existsSync(place) ? readdirSync(place) : [], [], `${name}: nothing is left`)
  })
})

await t.test('Ctrl-C leaves a checkpoint, and says so', { skip: process.platform === 'win32' }, async t => {
  await mkdir(at('kept'))
  const options = { steps: '1000', frames: '1', out: at('kept/out'), checkpoint: at('kept/run') }
  const args = [program, 'generate', ...withOptions(options), '--checkpoint-every', '1000']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env: environment })
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => {
    stderr += String(data)
    if (!child.killed && /step 2\/1000/.test(stderr)) child.kill('SIGINT')
  })
  t.same(await once(child, 'close'), [130, null])
  t.match(stderr, /run: the same command goes on after step \d+\/1000\nrevision: stopped\n$/)
  t.same(await readdir(at('kept')), ['run'])
})

await t.test('a second signal ends the program at once', { skip: process.platform === 'win32' }, async t => {
  const url = (path: string) => JSON.stringify(pathToFileURL(join(projectRoot, 'dist/pipeline', path)))
  const script = `
    const { StopSignals } = await import(${url('cli/stop.js')})
    const { OutputFolder } = await import(${url('media/output.js')})
    const { PreviewFile } = await import(${url('cli/preview-file.js')})
    const { replaceFile } = await import(${url('../tensor/files/index.js')})
    const output = await OutputFolder.create(process.argv[1])
    const preview = await PreviewFile.create(process.argv[1])
    await preview.write({ width: 1, height: 1, data: new Uint8Array(3) })
    await new Promise(begun => replaceFile(process.argv[1] + '.png', () => (begun(), new Promise(() => {}))))
    const stop = new StopSignals()
    stop.signal.addEventListener('abort', () => process.kill(process.pid, 'SIGTERM'))
    process.kill(process.pid, 'SIGINT')
    setInterval(() => {}, 1000)`
  const args = ['--input-type=module', '-e', script, at('twice/out')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  t.same(await once(child, 'close'), [143, null], 'the second decides about the code')
  t.notOk(existsSync(at('twice')), 'nothing is left')
})

await t.test('names never turn into orders to a terminal', async t => {
  const evil = 'a\x1b[2J\u202eb\u2066\x9b'
  const { stderr } = await revision(['generate', ...withOptions({ image: at(evil) })])
  t.match(stderr, /a \[2J b {2}: there is no such file\n$/)
  const path = at('evil.safetensors')
  await writeSafetensors(path, [{ name: evil, dtype: 'f32', shape: [0], data: new Float32Array() }])
  const plain = await revision(['inspect', path])
  t.match(plain.stdout, /\n {2}a \[2J b {2} {2}F32 \[0\]/)
  const json = await revision(['inspect', path, '--json'])
  t.notMatch(json.stdout.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}]/u)
  t.match(JSON.parse(json.stdout), { tensors: [{ name: evil }] }, 'JSON keeps it, escaped')
})

await t.test('masks come in the order of their numbers', async t => {
  const names = Array.from({ length: 14 }, (_, i) => `${i}.png`)
  await mkdir(at('many'))
  for (const [i, name] of names.entries()) {
    const data = new Uint8Array(3 * 64 * 64).fill(i)
    await writeFile(at('many', name), encodePng({ width: 64, height: 64, data }))
  }
  const masks = await readMasks(at('many'), { frames: 14, width: 64, height: 64 })
  t.same(
    masks.map(({ labels }) => labels.data[0]),
    names.map((_, i) => i),
  )
})

await t.test('long loads show how far they are, short ones do not', t => {
  const captured = t.capture(process.stderr, 'write')
  const progress = new Progress()
  const load = tenths(event => progress.hear(event))
  const GiB = 2 ** 30
  for (let i = 1; i <= 100; i++) load({ stage: 'unet', bytes: (i / 100) * 3 * GiB, total: 3 * GiB })
  const lines = captured().map(({ args }) => String(args[0]).trim())
  t.equal(lines.length, 11)
  t.match(lines[5], 'unet: loaded 1.50 GiB of 3.00 GiB')
  for (let i = 1; i <= 100; i++) load({ stage: 'unet', bytes: i, total: 100 })
  t.equal(captured().length, 0)
  t.end()
})

await t.test('a video', async t => {
  const { code, stdout, stderr } = await revision([
    'generate',
    ...withOptions({ masks: at('good'), 'max-guidance': '1' }),
  ])
  t.equal(code, 0, stderr)
  const names = ['frame_0000.png', 'frame_0001.png', 'settings.json', 'sheet.png', 'video.mp4']
  t.same(
    stdout.trimEnd().split('\n').sort(),
    names.map(name => at('out', name)),
  )
  t.same((await readdir(at('out'))).sort(), names)
  t.match(await readPicture(at('out/frame_0001.png')), { width: 64, height: 64 })
  t.match(JSON.parse(await readFile(at('out/settings.json'), 'utf8')), {
    frames: 2,
    steps: 1,
    seed: 0,
    motionBucket: 127,
  })
  for (const line of [/2 frames of 64 x 64, 1 steps/, /image encoder: .* s, peak/, /step 1\/1/, /frame 2\/2/])
    t.match(stderr, line)
})

await t.test('doctor', async t => {
  const env = { REVISION_RUNTIME: '', REVISION_ADAPTER: 'swiftshader' }
  const { code, stdout, stderr } = await revision(['doctor', '--json'], env)
  t.equal(code, 0, stderr)
  const found = JSON.parse(stdout) as { checks: object[] }
  t.match(found, {
    ok: true,
    runtime: { name: 'webgpu', why: 'REVISION_ADAPTER asks for one of its adapters' },
    adapter: { kind: 'swiftshader', why: 'REVISION_ADAPTER asks for swiftshader', features: { subgroups: true } },
  })
  t.ok(found.checks.length > 20)
  const gpu = await openAdapter('hardware', { quiet: true }).catch(() => undefined)
  const chosen = await revision(['doctor'], { REVISION_RUNTIME: '', REVISION_ADAPTER: '' })
  const expected = gpu
    ? /runtime {2}webgpu: .*a GPU comes first/
    : /runtime {2}wasm: .*there is no GPU\)\nloops {4}none left/
  t.match(chosen, { code: 0, stdout: expected })
  t.match(chosen.stdout, /all \d+ checks pass\n$/)
  const plain = await revision(['doctor'], { REVISION_RUNTIME: 'reference' })
  t.match(plain, { code: 0, stdout: /runtime {2}reference: .*REVISION_RUNTIME asks for it[^]*all \d+ checks pass\n$/ })
})
