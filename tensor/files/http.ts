// Files on a server, read by HTTP range requests (RFC 9110, sections 13.1.5 and 14) through fetch, in Node and in
// browsers. A page reads another origin's files only if that server allows the headers range and if-range and exposes
// content-range and etag.

import { FileError } from '../errors.js'
import {
  bodyOf,
  discard,
  type HttpOptions,
  HttpStatusError,
  retry,
  send,
  type Target,
  targetOf,
  TransientFailure,
} from './http-request.js'
import { quote } from './quote.js'
import { type ByteSource, checkRange, closedError, maxChunkBytes } from './source.js'

export type { HttpOptions } from './http-request.js'

/** What tells one version of a file from the next: one of its headers. */
interface Validator {
  readonly header: 'etag' | 'last-modified'
  readonly value: string
  /** Whether it may stand in If-Range. */
  readonly strong: boolean
}

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
  static async open(url: string, options: HttpOptions = {}): Promise<HttpSource> {
    const closing = new AbortController()
    const target = targetOf(url, options, closing.signal)
    const { name } = target
    return retry(target, async () => {
      const response = await sendRange(target, 0, 0)
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
      if (response.status !== 206) throw new HttpStatusError(name, 206, response.status)
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
    const response = await sendRange(this.target, first, last, this.validator)
    try {
      this.checkResponse(response, first, last)
    } catch (error) {
      await discard(response)
      throw error
    }
    yield* bodyOf(response)
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
    if (status !== 206) throw new HttpStatusError(name, 206, status)
    const expected = `bytes ${first}-${last}/${this.size}`
    if (range !== expected) throw rangeError(name, expected, range)
  }
}

function sendRange(target: Target, first: number, last: number, validator?: Validator): Promise<Response> {
  const range = `bytes=${first}-${last}`
  return send(target, validator?.strong ? { range, 'if-range': validator.value } : { range })
}

/** A strong ETag, else the date, else another ETag: that one may not stand in If-Range but still be compared. */
function validatorOf(headers: Headers): Validator | undefined {
  const etag = headers.get('etag')
  const date = headers.get('last-modified')
  if (etag?.startsWith('"')) return { header: 'etag', value: etag, strong: true }
  if (date !== null) return { header: 'last-modified', value: date, strong: true }
  return etag === null ? undefined : { header: 'etag', value: etag, strong: false }
}

function rangeError(where: string, expected: string, range: string): FileError {
  return new FileError({
    where,
    what: 'bad answer to a request for a range',
    expected: `content-range ${expected}`,
    got: range === '' ? 'none' : quote(range),
  })
}
