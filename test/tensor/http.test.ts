// A server on this machine that behaves, and misbehaves, as each story wants it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { FileError, LifetimeError, UsageError } from '../../tensor/errors.js'
import { type HttpOptions, HttpSource, openCheckpoint, openSafetensors } from '../../tensor/files/index.js'
import { safetensorsBytes } from '../support/files.js'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251)

/** What a good server answers: the range that was asked for, or all of it if the version asked for is not this one. */
function good(body: Uint8Array = bytes, headers: Record<string, string> = { etag: '"v1"' }): Answer {
  return (request, response) => {
    const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    const condition = request.headers['if-range']
    const sameVersion = condition === undefined || [headers.etag, headers['last-modified']].includes(String(condition))
    const first = Number(asked?.[1])
    const last = Number(asked?.[2])
    if (!asked || !sameVersion) response.writeHead(200, headers).end(body)
    else if (first >= body.length) response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end()
    else {
      const end = Math.min(last + 1, body.length)
      const range = `bytes ${first}-${end - 1}/${body.length}`
      response.writeHead(206, { ...headers, 'content-range': range }).end(body.subarray(first, end))
    }
  }
}

const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code).end('no')

/** A partial answer whose headers may lie. */
const partial =
  (range: string, body: Uint8Array, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(206, { etag: '"v1"', 'content-range': range, ...headers }).end(body)

/** Sends the first `count` bytes of a good answer, then cuts the line. */
const cutAfter =
  (count: number): Answer =>
  (request, response) => {
    const [, first, last] = (/(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []).map(Number)
    response.writeHead(206, {
      etag: '"v1"',
      'content-range': `bytes ${first}-${last}/${bytes.length}`,
      'content-length': last - first + 1,
    })
    response.write(bytes.subarray(first, first + count), () => response.destroy())
  }

let answers: Answer[] = []
let otherwise: Answer = good()
let requests: IncomingMessage[] = []
const server = createServer((request, response) => {
  requests.push(request)
  const answer = answers.shift() ?? otherwise
  answer(request, response)
})
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
t.teardown(() => {
  server.closeAllConnections()
  server.close()
})
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const url = `${origin}/model.safetensors`

/** From now on the server gives these answers in turn, and then `last` for ever. */
function serve(list: Answer[], last: Answer = good()): void {
  answers = list
  otherwise = last
  requests = []
}

let waits: number[] = []
const open = (options: HttpOptions = {}, where = url) => {
  waits = []
  return HttpSource.open(where, { delay: async milliseconds => void waits.push(milliseconds), ...options })
}

const asked = () => requests.map(({ headers }) => headers.range)

await t.test('ranges are read, each with the pinned version and the given headers', async t => {
  serve([])
  const source = await open({ headers: { authorization: 'Bearer abc' } }, `${url}?signature=secret`)
  t.equal(source.size, 1000)
  t.equal(source.name, url, 'the query is not shown')
  t.strictSame(await source.read(10, 5), bytes.slice(10, 15))
  t.strictSame(await source.read(0, 1000), bytes)
  t.strictSame(await source.read(1000, 0), new Uint8Array(0))
  t.strictSame(asked(), ['bytes=0-0', 'bytes=10-14', 'bytes=0-999'])
  t.strictSame(
    requests.map(({ headers }) => headers['if-range']),
    [undefined, '"v1"', '"v1"'],
  )
  t.ok(requests.every(({ headers, url }) => headers.authorization === 'Bearer abc' && url?.endsWith('secret')))
  for (const [offset, length] of [
    [999, 2],
    [-1, 1],
    [0.5, 1],
    [0, NaN],
  ])
    await t.rejects(source.read(offset, length), FileError)
  t.equal(requests.length, 3, 'what lies beyond the end is not asked for')
  await source.close()
  await t.rejects(source.read(0, 1), LifetimeError)
})

await t.test('a date stands in for a missing or weak ETag; a weak one alone is compared', async t => {
  const date = 'Wed, 21 Oct 2015 07:28:00 GMT'
  for (const headers of [{ 'last-modified': date }, { 'last-modified': date, etag: 'W/"1"' }] as Record<
    string,
    string
  >[]) {
    serve([], good(bytes, headers))
    await (await open()).read(0, 4)
    t.equal(requests[1].headers['if-range'], date)
  }
  let source = await open()
  for (const etag of ['unquoted', 'W/"1"']) {
    serve([], good(bytes, { etag }))
    source = await open()
    t.strictSame(await source.read(0, 4), bytes.slice(0, 4))
    t.equal(requests[1].headers['if-range'], undefined)
  }
  serve([], good(bytes, { etag: 'W/"2"' }))
  await t.rejects(source.read(0, 4), { name: 'FileError', message: /the file changed/ })
})

await t.test('more than 64 MiB are asked for in several requests', async t => {
  const large = new Uint8Array(64 * 2 ** 20 + 3)
  large.set([1, 2, 3, 4, 5, 6], large.length - 6)
  serve([], good(large))
  const source = await open()
  const read = await source.read(2, large.length - 2)
  t.equal(read.length, large.length - 2)
  t.strictSame(read.subarray(-6), large.subarray(-6))
  t.strictSame(asked().slice(1), ['bytes=2-67108865', 'bytes=67108866-67108866'])
})

await t.test('redirects are followed, on every read; the token stays with its origin', async t => {
  const other = createServer(good())
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    other.closeAllConnections()
    other.close()
  })
  let token: string | undefined = 'none yet'
  other.on('request', request => (token = request.headers.authorization))
  serve([], (_, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${(other.address() as AddressInfo).port}/x` }).end(),
  )
  const source = await open({ headers: { authorization: 'Bearer abc' } })
  t.strictSame(await source.read(10, 5), bytes.slice(10, 15))
  t.equal(requests.length, 2)
  t.equal(token, undefined)
})

await t.test('a file that changes is told from one that is damaged', async t => {
  const changes: [string, Answer][] = [
    ['another ETag, noticed by the server', good(bytes, { etag: '"v2"' })],
    ['another ETag, not noticed', partial('bytes 0-3/1000', bytes.subarray(0, 4), { etag: '"v2"' })],
    ['another size', partial('bytes 0-3/999', bytes.subarray(0, 4))],
    ['a size below the range', status(416)],
  ]
  for (const [what, answer] of changes) {
    serve([good()], answer)
    const source = await open()
    await t.rejects(source.read(0, 4), { message: `${url}: the file changed while it was read; try opening it again` })
    t.equal(requests.length, 2, `${what}: not tried again`)
  }
  serve([good(), cutAfter(100)], good(bytes, { etag: '"v2"' }))
  const source = await open()
  await t.rejects(source.read(0, 1000), /the file changed/, 'midway through one read')
  t.strictSame(asked(), ['bytes=0-0', 'bytes=0-999', 'bytes=100-999'])
})

await t.test('wrong answers are refused at once', async t => {
  const four = bytes.subarray(0, 4)
  const wrong: [string, Answer, RegExp][] = [
    ['another range', partial('bytes 4-7/1000', four), /content-range bytes 0-3\/1000; got "bytes 4-7\/1000"/],
    ['a shorter range', partial('bytes 0-2/1000', four), /bad answer to a request for a range/],
    ['an unknown size', partial('bytes 0-3/*', four), /bad answer/],
    ['another unit', partial('lines 0-3/1000', four), /got "lines/],
    ['several parts', (_, response) => response.writeHead(206, { etag: '"v1"' }).end(four), /got none/],
    ['too many bytes', partial('bytes 0-3/1000', bytes), /more bytes than asked for/],
    ['not found', status(404), /status 404/],
    ['forbidden', status(403), /status 403; try a token/],
  ]
  for (const [what, answer, message] of wrong) {
    serve([good()], answer)
    const source = await open()
    await t.rejects(source.read(0, 4), { name: 'FileError', message }, what)
    t.equal(requests.length, 2, what)
  }
  const atOnce: [string, Answer, RegExp][] = [
    ['no ranges', (_, response) => response.writeHead(200).end(bytes), /the server does not send ranges/],
    ['missing', status(404), /cannot be read; expected status 206; got status 404/],
    ['a size beyond 2^53', partial('bytes 0-0/99999999999999999999', bytes.subarray(0, 1)), /bad answer/],
    ['no size', partial('bytes 0-0/*', bytes.subarray(0, 1)), /bad answer/],
    ['a redirect for ever', (_, response) => response.writeHead(302, { location: '/x' }).end(), /redirect/],
  ]
  for (const [what, answer, message] of atOnce) {
    serve([], answer)
    await t.rejects(open(), { name: 'FileError', message }, what)
  }
  serve([], good(new Uint8Array(0)))
  t.equal((await open()).size, 0, 'an empty file is one')
})

await t.test('what passes is tried again, from where it stopped, five times in all', async t => {
  serve([status(500), status(503), good(), status(429), cutAfter(300), cutAfter(0), cutAfter(500), good()])
  const source = await open()
  t.strictSame(waits, [500, 1000])
  waits.length = 0
  t.strictSame(await source.read(0, 1000), bytes)
  t.strictSame(waits, [500, 1000, 2000, 4000])
  t.strictSame(asked().slice(3), ['bytes=0-999', 'bytes=0-999', 'bytes=300-999', 'bytes=300-999', 'bytes=800-999'])

  serve([], status(502))
  waits.length = 0
  await t.rejects(source.read(0, 4), { name: 'FileError', message: /after 5 attempts; got "status 502"/ })
  t.strictSame(waits, [500, 1000, 2000, 4000])
  serve([], cutAfter(0))
  await t.rejects(source.read(0, 4), { name: 'FileError', message: /after 5 attempts; got "[^"]+"$/ })
  serve([], partial('bytes 0-3/1000', new Uint8Array(0)))
  await t.rejects(source.read(0, 4), { name: 'FileError', message: /after 5 attempts; got "0 of 4 bytes"/ })
  t.equal(requests.length, 5, 'an answer that ends early without complaint')

  const closed = createServer()
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise(resolve => closed.close(resolve))
  await t.rejects(open({}, `http://127.0.0.1:${port}/a`), { message: /after 5 attempts; got "ECONNREFUSED"/ })
})

await t.test('abort ends opening, reading and waiting; close ends reading', async t => {
  const silent: Answer = () => undefined
  const abortion = new Error('enough')
  /** Resolves when the server has got the next request. */
  const arrival = () => new Promise<void>(resolve => server.once('request', () => resolve()))

  for (const stopAt of ['opening', 'reading', 'waiting'] as const) {
    const controller = new AbortController()
    const stop = () => controller.abort(abortion)
    serve(stopAt === 'opening' ? [] : [good()], stopAt === 'waiting' ? status(500) : silent)
    const run = async () => {
      const source = await open({ signal: controller.signal, delay: async () => stop() })
      if (stopAt === 'reading') void arrival().then(stop)
      await source.read(0, 4)
    }
    if (stopAt === 'opening') void arrival().then(stop)
    await t.rejects(run(), abortion, stopAt)
    t.equal(requests.length, stopAt === 'opening' ? 1 : 2, `${stopAt}: no further request`)
  }
  await t.rejects(open({ signal: AbortSignal.abort(abortion) }), abortion)

  serve([good()], silent)
  const source = await open()
  const arrived = arrival()
  const reading = source.read(0, 4)
  await Promise.all([t.rejects(reading, LifetimeError), arrived.then(() => source.close())])
})

await t.test('bad URLs and headers are refused without showing what may be secret', async t => {
  for (const bad of ['ftp://a/b', 'file:///etc/passwd', 'http://', 'nothing', 'http://me:secret@127.0.0.1/'])
    await t.rejects(open({}, bad), UsageError, bad)
  const error = await open({ headers: { authorization: 'Bearer secret\nx' } }).catch((reason: unknown) => reason)
  t.ok(error instanceof UsageError && !/secret/.test(error.message) && error.cause === undefined)
  await t.rejects(openCheckpoint('http://['), UsageError)
})

await t.test('checkpoints are opened by URL, in one file or in shards', async t => {
  const tensor = (name: string) => `{"${name}":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
  const data = new Uint8Array(Float32Array.of(1.5, -2).buffer)
  const map = { weight_map: { a: 'm-1.safetensors', b: 'm-2.safetensors' } }
  const files: Record<string, Uint8Array> = {
    '/one.safetensors': safetensorsBytes(tensor('x'), data),
    '/dir/m.safetensors.index.json': Buffer.from(JSON.stringify(map)),
    '/dir/m-1.safetensors': safetensorsBytes(tensor('a'), data),
    '/dir/m-2.safetensors': safetensorsBytes(tensor('b'), data),
  }
  serve([], (request, response) => {
    const file = files[new URL(request.url ?? '', origin).pathname]
    if (file) good(file)(request, response)
    else status(404)(request, response)
  })
  const expected = { dtype: 'f32', shape: [2], data: Float32Array.of(1.5, -2) }
  const one = await openSafetensors(`${origin}/one.safetensors`)
  t.strictSame(await one.read('x'), expected)
  await one.close()
  for (const path of ['m.safetensors', 'm.safetensors?download=true', 'm.safetensors.index.json']) {
    const file = await openCheckpoint(`${origin}/dir/${path}`)
    t.strictSame([...file.tensors.keys()], ['a', 'b'], path)
    t.strictSame(await file.read('b'), expected)
    await file.close()
  }
  await t.rejects(openCheckpoint(`${origin}/none.safetensors`), { message: /none\.safetensors: .*status 404/ })
})
