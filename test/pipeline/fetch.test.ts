// Models from a hub that stumbles, lies and refuses.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { download } from '../../pipeline/hub/download.js'
import { fetchDepthModel, fetchModel } from '../../pipeline/hub/fetch-model.js'
import { HubRepository } from '../../pipeline/hub/repository.js'
import { hubModels } from '../../pipeline/hub/models.js'
import { writeRandomCheckpoint } from '../../pipeline/hub/random-checkpoint.js'
import { OutputFolder } from '../../pipeline/media/output.js'
import { UsageError } from '../../tensor/index.js'
import { type Answer, cutAfter, FakeHub, refusing, sending, sha256, silentAfter } from '../support/hub.js'
import { makeTinyDepthModel } from '../support/depth.js'
import { projectRoot } from '../support/paths.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const at = (...parts: string[]) => join(folder, ...parts)

// A tiny model with what a real repository holds besides.
using output = await OutputFolder.create(at('source'))
await writeRandomCheckpoint(output, { like: 'tiny' })
await output.commit()
const read = async (path: string) => new Uint8Array(await readFile(path))
const modelFiles = new Map<string, Uint8Array>()
for (const name of ['unet', 'vae', 'image_encoder', 'scheduler'])
  for (const file of await readdir(at('source', name)))
    modelFiles.set(`${name}/${file}`, await read(at('source', name, file)))
modelFiles.set('model_index.json', await read(at('source', 'model_index.json')))
const others = ['README.md', 'comparison.png', 'svd_xt.safetensors', 'feature_extractor/preprocessor_config.json']

const { repository } = hubModels['svd-xt']
const hub = new FakeHub(repository, new Map())
await hub.open()
t.teardown(() => hub.close())

/** From now on the hub holds these files and has been asked for none. */
function serve(files: ReadonlyMap<string, Uint8Array> = modelFiles): void {
  hub.files.clear()
  for (const [path, bytes] of files) hub.files.set(path, bytes)
  for (const path of others) hub.files.set(path, new Uint8Array(3))
  hub.first.clear()
  hub.asked.length = 0
}

let waits: number[] = []
const delay = async (milliseconds: number) => void waits.push(milliseconds)
const fetchTo = (name: string, options: object = {}) =>
  fetchModel(repository, at(name), { endpoint: hub.endpoint, delay, ...options })

const unet = 'unet/diffusion_pytorch_model.safetensors'
const body = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) % 251)

/** Brings the one file `x.bin` of the hub to `path`. */
async function bring(path: string, first: Answer[] = [], expected: { sha256?: string | undefined } = {}) {
  serve(new Map([['x.bin', body]]))
  waits = []
  hub.first.set('x.bin', first)
  const file = { url: new HubRepository(repository, hub).urlOf('x.bin'), size: body.length, sha256: sha256(body) }
  await download({ ...file, ...expected }, path, { delay })
}

const ranges = () => hub.asked.map(({ range }) => range)

await t.test('a model is brought with the files that are read, and no others', async t => {
  serve()
  const progress: [number, number][] = []
  const options = { token: 'secret', progress: (done: number, total: number) => void progress.push([done, total]) }
  const model = await fetchTo('model', options)
  t.equal(model.unet.config.inChannels, 8)
  const found = (await readdir(at('model'), { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
  t.equal(found.length, modelFiles.size, 'as many files')
  for (const [path, bytes] of modelFiles) t.ok(Buffer.from(bytes).equals(await readFile(at('model', path))), path)
  t.same(hub.brought.sort(), [...modelFiles.keys()].sort())
  const tokens = (where: string) => new Set(hub.asked.filter(asked => asked.where === where).map(({ token }) => token))
  t.same(tokens('hub'), new Set(['Bearer secret']))
  t.same(tokens('store'), new Set([undefined]), 'the token stays with the hub')
  const total = [...modelFiles].reduce((sum, [path, { length }]) => sum + (path.endsWith('.json') ? 0 : length), 0)
  t.same(progress.at(-1), [total, total])
  t.ok(
    progress.every(([done], i) => i === 0 || done >= progress[i - 1][0]),
    'progress only grows',
  )
  hub.asked.length = 0
  await fetchTo('model')
  t.same(hub.brought, [], 'what is there and right is not brought again')
})

await t.test('variants and shards', async t => {
  const rename = (path: string) => path.replace(/(?<!index)\.safetensors$/, '.fp16.safetensors')
  const fp16 = new Map([...modelFiles].map(([path, bytes]) => [rename(path), bytes]))
  serve(new Map([...modelFiles, ...fp16]))
  await fetchTo('fp16', { variant: 'fp16' })
  t.same(await readdir(at('fp16/unet')), ['config.json', 'diffusion_pytorch_model.fp16.safetensors'])

  const [index, shard] = ['vae/diffusion_pytorch_model.safetensors.index.json', 'vae/part-1.safetensors']
  const vae = 'vae/diffusion_pytorch_model.safetensors'
  const bytes = modelFiles.get(vae) ?? new Uint8Array()
  const header = new TextDecoder().decode(
    bytes.subarray(8, 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))),
  )
  const names = Object.keys(JSON.parse(header) as object)
  const map = { weight_map: Object.fromEntries(names.map(name => [name, 'part-1.safetensors'])) }
  const sharded = new Map(modelFiles).set(index, Buffer.from(JSON.stringify(map))).set(shard, bytes)
  sharded.delete(vae)
  serve(sharded)
  await fetchTo('sharded')
  t.ok(existsSync(at('sharded', shard)))
  sharded.delete(shard)
  serve(sharded)
  await t.rejects(fetchTo('lacking'), { name: 'FileError', message: /not in the repository; expected vae\/part-1/ })
  for (const name of ['../../evil.safetensors', '/evil.safetensors', 'a\\b.safetensors', '..']) {
    serve(new Map(sharded).set(index, Buffer.from(JSON.stringify({ weight_map: { [names[0]]: name } }))))
    await t.rejects(
      fetchTo('escaping'),
      { name: 'FileError', message: /bad shard name; expected a plain file name/ },
      name,
    )
    await rm(at('escaping', index))
  }
  t.notOk(existsSync(at('evil.safetensors')), 'nothing is written outside of the folder')
})

await t.test('a line that breaks is taken up where it broke', async t => {
  await bring(at('broken'), [cutAfter(3000, body), refusing(503), cutAfter(0, body), cutAfter(2000, body)])
  t.strictSame(await read(at('broken')), body)
  t.same(ranges(), [undefined, 'bytes=3000-', 'bytes=3000-', 'bytes=3000-', 'bytes=5000-'])
  t.same(waits, [500, 1000, 2000, 500], 'after some progress the count begins anew')
  await t.rejects(bring(at('dead'), Array<Answer>(9).fill(cutAfter(0, body))), { message: /after 5 attempts/ })
  await bring(at('dead'))
  t.strictSame(await read(at('dead')), body)
})

await t.test('too many requests: the server says how long to wait', async t => {
  await bring(at('busy'), [
    refusing(429, { 'retry-after': '7' }),
    refusing(429, { 'retry-after': '1e9' }),
    refusing(429, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }),
  ])
  t.same(waits, [7000, 300_000, 2000])
})

await t.test('a partial file is gone on with, if it is of this version', async t => {
  await writeFile(at('half.partial'), body.subarray(0, 4000))
  await bring(at('half'))
  t.same(ranges(), ['bytes=4000-'])
  t.strictSame(await read(at('half')), body)
  t.notOk(existsSync(at('half.partial')))

  await writeFile(at('other.partial'), new Uint8Array(4000))
  await bring(at('other'))
  t.same(ranges(), ['bytes=4000-', undefined], 'the checksum tells, and all is brought')
  t.strictSame(await read(at('other')), body)

  await writeFile(at('long.partial'), new Uint8Array(20_000))
  await bring(at('long'))
  t.same(ranges(), [undefined])

  await writeFile(at('rangeless.partial'), body.subarray(0, 4000))
  await bring(at('rangeless'), [(_, response) => response.end(body)])
  t.strictSame(await read(at('rangeless')), body, 'a server without ranges sends everything')

  await writeFile(at('unknown.partial'), body.subarray(0, 4000))
  await bring(at('unknown'), [], { sha256: undefined })
  t.same(ranges(), [undefined], 'without a checksum nothing is gone on with')

  await writeFile(at('kept.partial'), body.subarray(0, 4000))
  await t.rejects(bring(at('kept'), [(_, response) => response.end('log in first')]), /another length/)
  await bring(at('kept'))
  t.same(ranges(), ['bytes=4000-'], 'a wrong answer costs nothing that was there')

  await writeFile(at('whole.partial'), body)
  await bring(at('whole'))
  t.same(ranges(), [], 'nothing was missing')
})

await t.test('lies about lengths and contents are found out', async t => {
  const chunked =
    (bytes: Uint8Array, headers = {}): Answer =>
    (_, response) => {
      response.writeHead(200, headers)
      response.write(bytes.subarray(0, 1))
      response.end(bytes.subarray(1))
    }
  const twice = new Uint8Array([...body, ...body])
  const cases: [string, Answer[], RegExp][] = [
    ['a longer file', [sending(twice)], /another length than it told; expected 10000 bytes; got "20000"/],
    ['a shorter file', [sending(body.subarray(1))], /another length than it told/],
    ['more bytes than told', [chunked(twice)], /more than it told/],
    ['a range nobody asked for', [refusing(206, { 'content-range': 'bytes 0-1/2' })], /status 206/],
    ['less than told, for ever', Array<Answer>(9).fill(chunked(new Uint8Array(0))), /"0 of 10000 bytes"/],
    ['gone', [refusing(404)], /expected status 200; got status 404/],
    ['a redirect for ever', Array<Answer>(99).fill(refusing(302, { location: '/' })), /x\.bin: cannot be read/],
  ]
  for (const [what, answers, message] of cases) {
    const path = at(what)
    await t.rejects(bring(path, answers), { name: 'FileError', message }, what)
    t.notOk(existsSync(path), `${what}: no file`)
  }
  await writeFile(at('part.partial'), body.subarray(0, 4000))
  const elsewhere = refusing(206, { 'content-range': 'bytes 0-9999/10000' })
  await t.rejects(bring(at('part'), [elsewhere]), { message: /another part than asked for.*4000-9999/ })

  const wrong = { sha256: sha256(twice) }
  await t.rejects(bring(at('wrong'), [], wrong), {
    name: 'FileError',
    message: /x\.bin: wrong checksum; expected sha256/,
  })
  t.notOk(existsSync(at('wrong')) || existsSync(at('wrong.partial')), 'what is wrong is not kept')
})

await t.test('files of others stay', async t => {
  serve()
  await mkdir(at('taken/vae'), { recursive: true })
  await writeFile(at('taken/vae/diffusion_pytorch_model.safetensors'), 'mine')
  await t.rejects(fetchTo('taken'), { name: 'FileError', message: /vae.*another file of this name is there/ })
  t.same(hub.brought, [], 'nothing was brought in vain')
  await writeFile(at('sized'), new Uint8Array(body.length))
  await t.rejects(bring(at('sized')), /another file of this name/, 'of the same size')
  await mkdir(at('folder.partial'))
  await t.rejects(bring(at('folder')), /folder\.partial: not a regular file/)
  serve()
  await t.rejects(fetchTo('sized/below'), { name: 'FileError', message: /folder cannot be made/ })
})

await t.test('refusals say what helps', async t => {
  const cases: [number, string | undefined, RegExp][] = [
    [401, undefined, /status 401; try a token \(--token or HF_TOKEN\) of an account that has accepted the licence/],
    [401, 'old', /status 401; try another token/],
    [403, 'mine', /status 403; try a token that may read the model/],
    [404, undefined, /status 404; try another revision or endpoint/],
  ]
  for (const [status, token, message] of cases)
    for (const path of ['', 'unet/config.json']) {
      serve()
      hub.first.set(path, [refusing(status)])
      await t.rejects(fetchTo('refused', { token }), { name: 'FileError', message }, `${status} ${path}`)
    }
  serve()
  hub.first.set('', Array<Answer>(9).fill(refusing(429)))
  await t.rejects(fetchTo('refused'), { message: /after 5 attempts; got "status 429"/ })
  for (const endpoint of ['nothing', 'ftp://a/', 'http://me:secret@127.0.0.1/', 'http://a/?b'])
    await t.rejects(fetchTo('refused', { endpoint }), UsageError, endpoint)
  const error = await fetchTo('refused', { token: 'secret\nx' }).catch((error: unknown) => error)
  t.ok(error instanceof UsageError && !error.message.includes('secret'), 'a token is not shown')
})

await t.test('a list of files is not believed blindly', async t => {
  const answer = (value: unknown): Answer => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return (_, response) => response.end(text)
  }
  const entry = { type: 'file', path: 'model_index.json', size: 1 }
  const cases: [string, unknown, RegExp][] = [
    ['no JSON', '<html>', /not a list of files; expected JSON; got "<html>"/],
    ['no list', { error: 'no' }, /expected a JSON array/],
    ['no size', [{ ...entry, size: undefined }], /bad entry/],
    ['a size below 0', [{ ...entry, size: -1 }], /bad entry/],
    ['no checksum', [{ ...entry, lfs: {} }], /bad entry/],
    ['a bad checksum', [{ ...entry, lfs: { oid: '../../x' } }], /bad entry/],
    ['too long', ' '.repeat(2 ** 24 + 1), /too long a list/],
    ['nothing', [], /not in the repository; expected unet/],
    ['values', [null, 1, 'x'], /not in the repository/],
  ]
  for (const [what, value, message] of cases) {
    serve()
    hub.first.set('', [answer(value)])
    await t.rejects(fetchTo('listed'), { name: 'FileError', message }, what)
  }
  serve()
  const huge = [...modelFiles.keys()].map(path => ({ type: 'file', path, size: 2 ** 26 }))
  hub.first.set('', [answer(huge.map(file => ({ ...file, size: 2 ** 52 })))])
  await t.rejects(fetchTo('listed'), { message: /too long for its kind/ })
  hub.first.set('', [answer(huge.map(file => ({ ...file, size: file.path.endsWith('.json') ? 1 : 2 ** 52 })))])
  await t.rejects(fetchTo('listed'), { message: /not enough room on the disk/ })
})

await t.test('what was brought has to be a model', async t => {
  const config = JSON.parse(new TextDecoder().decode(modelFiles.get('unet/config.json'))) as object
  const thin = Buffer.from(JSON.stringify({ ...config, block_out_channels: [32, 32, 64, 64] }))
  serve(new Map(modelFiles).set('unet/config.json', thin))
  await t.rejects(fetchTo('misfit'), { name: 'WeightsError', message: /weights do not fit the model/ })
})

await t.test('a depth model lies in one folder, whole or in shards', async t => {
  await makeTinyDepthModel(at('depth-source'))
  const [config, weights] = await Promise.all(
    ['config.json', 'model.safetensors'].map(file => read(at('depth-source', file))),
  )
  const fetchDepth = (name: string) => fetchDepthModel(repository, at(name), { endpoint: hub.endpoint, delay })
  const files = new Map([
    ['config.json', config],
    ['model.safetensors', weights],
  ])
  serve(files)
  await fetchDepth('depth')
  t.same(hub.brought.sort(), [...files.keys()])
  const size = Number(new DataView(weights.buffer).getBigUint64(0, true))
  const names = Object.keys(JSON.parse(new TextDecoder().decode(weights.subarray(8, 8 + size))) as object)
  const index = { weight_map: Object.fromEntries(names.map(name => [name, 'part.safetensors'])) }
  serve(
    new Map([
      ['config.json', config],
      ['model.safetensors.index.json', Buffer.from(JSON.stringify(index))],
      ['part.safetensors', weights],
    ]),
  )
  await fetchDepth('depth-shards')
  t.ok(existsSync(at('depth-shards/part.safetensors')))
  serve(new Map(files).set('config.json', Buffer.from('{"model_type": "dpt"}')))
  await t.rejects(fetchDepth('depth-other'), { name: 'FileError', message: /model_type must be one of depth_anything/ })
})

await t.test('on the command line: stopped, gone on with, refused', { skip: process.platform === 'win32' }, async t => {
  const run = async (args: string[], watch: (stderr: string, kill: () => void) => void = () => undefined) => {
    const env = { ...process.env, HF_TOKEN: 'mine', HF_ENDPOINT: hub.endpoint, REVISION_DEBUG: '' }
    const child = spawn(process.execPath, [join(projectRoot, 'dist/pipeline/cli/main.js'), 'fetch', ...args], { env })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (data: Buffer) => (stdout += String(data)))
    child.stderr.on('data', (data: Buffer) => {
      stderr += String(data)
      if (!child.killed) watch(stderr, () => child.kill('SIGINT'))
    })
    const [code] = (await once(child, 'close')) as [number]
    return { code, stdout, stderr }
  }
  serve()
  const bytes = modelFiles.get(unet) ?? new Uint8Array()
  hub.first.set(unet, [silentAfter(4_000_000, bytes)])
  const stopped = await run(['svd-xt', '--to', at('cli')], (stderr, kill) => /[123]\.\d MiB of/.test(stderr) && kill())
  t.match(stopped, { code: 130, stdout: '', stderr: /revision: stopped\n$/ })
  const left = await readFile(at('cli', `${unet}.partial`))
  t.ok(left.length > 0 && left.equals(bytes.subarray(0, left.length)), 'what had come is kept')
  hub.asked.length = 0
  const done = await run(['svd-xt', '--to', at('cli')])
  t.match(done, { code: 0, stdout: `${at('cli')}\n`, stderr: /7\.\d of|MiB of 8\.\d MiB/ })
  t.equal(hub.asked.find(({ path, where }) => path === unet && where === 'store')?.range, `bytes=${left.length}-`)
  t.equal(hub.asked[0].token, 'Bearer mine', 'HF_TOKEN is used')
  for (const [args, message] of [
    [['sdxl', '--to', at('no')], /model: not one of its values; expected svd, svd-xt/],
    [['svd', '--to', at('no')], /img2vid\/.*status 404; try another revision/],
    [['svd-xt', '--to', ''], /name of the folder is empty/],
    [['svd-xt'], /--to: missing; try revision fetch --help/],
    [['svd-xt', '--to', at('no'), '--endpoint', 'ftp://x'], /not a URL/],
  ] as const)
    t.match(await run([...args]), { code: 2, stdout: '', stderr: new RegExp(`^revision: .*${message.source}.*\\n$`) })
})
