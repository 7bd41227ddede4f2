// Files on a server, read by HTTP range requests (RFC 9110, sections 13.1.5 and 14) through fetch, in Node and in
// browsers. A page reads another origin's files only if that server allows the headers range and if-range and exposes
// content-range and etag.

import { FileError, UsageError } from '../errors.js'
import { quote } from './quote.js'
import { type ByteSource, checkRange, closedError, maxChunkBytes } from './source.js'
import { reasonOf } from './system-error.js'

const maxAttempts = 5
const firstDelay = 500
/** Too early or too many requests, and a server or its gateway in trouble. */
const transientStatus = new Set([408, 425, 429, 500, 502, 503, 504])

export interface HttpOptions {
  /**
   * Sent with every request, such as `{ authorization: 'Bearer ...' }`. A redirect to another origin gets all of them
   * but that one, authorization.
   */
  headers?: Readonly<Record<string, string>>
  /** Ends opening, reading and waiting, which then reject with its reason. */
  signal?: AbortSignal
  /** The waiting between attempts, in milliseconds. */
  delay?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** What tells one version of a file from the next: one of its headers. */
interface Validator {
  readonly header: 'etag' | 'last-modified'
  readonly value: string
  /** Whether it may stand in If-Range. */
  readonly strong: boolean
}

/** Where requests go and what they carry. */
interface Target {
  readonly name: string
  readonly url: URL
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** A failure that the next attempt may not meet again. */
class TransientFailure extends Error {}

/**
 * One version of a file on a server. Reads go in requests of at most 64 MiB; one that breaks off is taken up where it
 * stopped. Network failures and troubled servers are tried again, five times in all, after 0.5, 1, 2 and 4 seconds. A
 * server that falls silent is left to the timeouts of fetch (five minutes in Node) and to the signal.
 */
export class HttpSource implements ByteSource {
  /** The URL without its query, which may hold a signature. */
  readonly name: string
  readonly size: number
  private readonly target: Target
  private readonly validator: Validator | undefined
  private readonly closing: AbortController

  private constructor(target: Target, size: number, validator: Validator | undefined, closing: AbortController) {
    this.name = target.name
    this.size = size
    this.target = target
    this.validator = validator
    this.closing = closing
  }

  /**
   * Asks for one byte, to learn the file's size and version. Throws a FileError if there is no such file or the server
   * does not send ranges, a UsageError on a bad URL or header.
   */
  static async open(url: string, { headers = {}, signal, delay = wait }: HttpOptions = {}): Promise<HttpSource> {
    const closing = new AbortController()
    const target: Target = {
      ...checkRequest(url, headers),
      signal: signal ? AbortSignal.any([signal, closing.signal]) : closing.signal,
      delay,
    }
    const { name } = target
    return retry(target, async () => {
      const response = await request(target, 0, 0)
      await discard(response)
      const range = response.headers.get('content-range') ?? ''
      // An empty file has no first byte, but a size all the same.
      if (response.status === 416 && range === 'bytes */0') return new HttpSource(target, 0, undefined, closing)
      if (response.status === 200)
        throw new FileError({
          where: name,
          what: 'the server does not send ranges of a file',
          expected: 'status 206',
          got: 'status 200',
          hint: 'downloading the file, or another server',
        })
      if (response.status !== 206) throw statusError(name, response.status)
      const size = Number(/^bytes 0-0\/(\d+)$/.exec(range)?.[1] ?? NaN)
      if (!Number.isSafeInteger(size)) throw rangeError(name, 'bytes 0-0/<size>', range)
      return new HttpSource(target, size, validatorOf(response.headers), closing)
    })
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (this.closing.signal.aborted) throw closedError(this.name)
    checkRange(this.name, this.size, offset, length)
    const out = new Uint8Array(length)
    let done = 0
    while (done < length) {
      const end = Math.min(length, done + maxChunkBytes)
      await retry(this.target, async () => {
        if (done === end) return
        for await (const bytes of this.request(offset + done, offset + end - 1)) {
          if (done + bytes.length > end) throw new FileError({ where: this.name, what: 'more bytes than asked for' })
          out.set(bytes, done)
          done += bytes.length
        }
        if (done < end) throw new TransientFailure(`${done} of ${length} bytes`)
      })
    }
    return out
  }

  async close(): Promise<void> {
    this.closing.abort(closedError(this.name))
  }

  /** The body of bytes `first` to `last`, whose length is not checked yet. */
  private async *request(first: number, last: number): AsyncGenerator<Uint8Array, void, undefined> {
    const response = await request(this.target, first, last, this.validator)
    const reader = response.body?.getReader()
    try {
      this.checkResponse(response, first, last)
      while (reader) {
        const piece = await reader.read().catch((cause: unknown) => {
          throw transient(cause)
        })
        if (piece.done) break
        yield piece.value
      }
    } finally {
      await reader?.cancel().catch(() => undefined)
    }
  }

  private checkResponse({ status, headers }: Response, first: number, last: number): void {
    const { name, validator } = this
    const range = headers.get('content-range') ?? ''
    const version = validator && headers.get(validator.header)
    const otherVersion = version !== undefined && version !== null && version !== validator?.value
    const otherSize = /^bytes \S+\/(\d+)$/.exec(range)?.[1] ?? String(this.size)
    // A condition that does not hold, If-Range, is answered with the whole file.
    if (status === 200 || status === 416 || otherVersion || otherSize !== String(this.size))
      throw new FileError({ where: name, what: 'the file changed while it was read', hint: 'opening it again' })
    if (status !== 206) throw statusError(name, status)
    const expected = `bytes ${first}-${last}/${this.size}`
    if (range !== expected) throw rangeError(name, expected, range)
  }
}

function checkRequest(
  url: string,
  headers: Readonly<Record<string, string>>,
): Pick<Target, 'name' | 'url' | 'headers'> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol) || parsed.username !== '' || parsed.password !== '')
    throw new UsageError({
      where: 'HttpSource',
      what: 'not a URL that can be read',
      expected: 'http:// or https:// without a user name, which belongs into a header',
    })
  const name = parsed.origin + parsed.pathname
  try {
    return { name, url: parsed, headers: new Headers(headers) }
  } catch {
    // Without its cause, whose message would show what may be a token.
    throw new UsageError({ where: name, what: 'bad header', expected: 'names and values without line breaks' })
  }
}

/** Sends one request. Transient failures and statuses become TransientFailure. */
async function request(target: Target, first: number, last: number, validator?: Validator): Promise<Response> {
  const headers = new Headers(target.headers)
  headers.set('range', `bytes=${first}-${last}`)
  if (validator?.strong) headers.set('if-range', validator.value)
  // Not from the cache of a browser: a part of an old version would not fit the rest.
  const init: RequestInit & { cache: 'no-store' } = { headers, signal: target.signal, cache: 'no-store' }
  const response = await fetch(target.url, init).catch((cause: unknown) => {
    throw transient(cause)
  })
  if (!transientStatus.has(response.status)) return response
  await discard(response)
  throw new TransientFailure(`status ${response.status}`)
}

/** Ends a response whose body nobody wants; that it is broken already does not matter. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined)
}

/** fetch hides the system's reason one level down. */
function transient(error: unknown): TransientFailure {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return new TransientFailure(reasonOf(cause), { cause })
}

async function retry<T>({ name, signal, delay }: Target, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof TransientFailure)) throw error
      if (failures === maxAttempts)
        throw new FileError(
          { where: name, what: `cannot be read after ${maxAttempts} attempts`, got: quote(error.message) },
          { cause: error.cause },
        )
    }
    await delay(firstDelay * 2 ** (failures - 1), signal)
    signal.throwIfAborted()
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}

/** A strong ETag, else the date, else another ETag: that one may not stand in If-Range but still be compared. */
function validatorOf(headers: Headers): Validator | undefined {
  const etag = headers.get('etag')
  const date = headers.get('last-modified')
  if (etag?.startsWith('"')) return { header: 'etag', value: etag, strong: true }
  if (date !== null) return { header: 'last-modified', value: date, strong: true }
  return etag === null ? undefined : { header: 'etag', value: etag, strong: false }
}

function statusError(where: string, status: number): FileError {
  const hint = status === 401 || status === 403 ? 'a token in the header authorization' : undefined
  return new FileError({ where, what: 'cannot be read', expected: 'status 206', got: `status ${status}`, hint })
}

function rangeError(where: string, expected: string, range: string): FileError {
  return new FileError({
    where,
    what: 'bad answer to a request for a range',
    expected: `content-range ${expected}`,
    got: range === '' ? 'none' : quote(range),
  })
}
