// What every reader over HTTP shares: requests through fetch, in Node and in browsers, which failures are tried again
// and when, and errors that never show a token.

import { FileError, UsageError } from '../errors.js'
import { quote } from './quote.js'
import { reasonOf } from './system-error.js'

const maxAttempts = 5
const firstDelay = 500
/** The longest wait that a server may ask for, in milliseconds. */
const maxDelay = 300_000
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

/** Where requests go and what they carry. */
export interface Target {
  /** The URL without its query, which may hold a signature. */
  readonly name: string
  readonly url: URL
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly delay: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** A failure that the next attempt may not meet again. */
export class TransientFailure extends Error {
  /** How long the server asks to wait, in milliseconds. */
  readonly delay: number

  constructor(message: string, { delay = 0, ...options }: ErrorOptions & { delay?: number } = {}) {
    super(message, options)
    this.delay = delay
  }
}

/** An answer whose status says that there is nothing to be had. */
export class HttpStatusError extends FileError {
  readonly status: number

  constructor(where: string, expected: number, status: number) {
    const hint = status === 401 || status === 403 ? 'a token in the header authorization' : undefined
    super({ where, what: 'cannot be read', expected: `status ${expected}`, got: `status ${status}`, hint })
    this.name = 'FileError' // to readers it is one like any other
    this.status = status
  }
}

/** Checks a URL and headers; throws a UsageError if they cannot be used. Ends with either of the signals. */
export function targetOf(
  url: string,
  { headers = {}, signal, delay = wait }: HttpOptions,
  closing: AbortSignal = new AbortController().signal,
): Target {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol) || parsed.username !== '' || parsed.password !== '')
    throw new UsageError({
      where: 'address',
      what: 'not a URL that can be read',
      expected: 'http:// or https:// without a user name, which belongs into a header',
    })
  const name = parsed.origin + parsed.pathname
  try {
    const signals = signal ? AbortSignal.any([signal, closing]) : closing
    return { name, url: parsed, headers: new Headers(headers), signal: signals, delay }
  } catch {
    // Without its cause, whose message would show what may be a token.
    throw new UsageError({ where: name, what: 'bad header', expected: 'names and values without line breaks' })
  }
}

/** Sends one request with more headers. Network failures and passing statuses become a TransientFailure. */
export async function send(target: Target, more: Readonly<Record<string, string>>): Promise<Response> {
  const headers = new Headers(target.headers)
  for (const [name, value] of Object.entries(more)) headers.set(name, value)
  // Not from the cache of a browser: a part of an old version would not fit the rest.
  const init: RequestInit & { cache: 'no-store' } = { headers, signal: target.signal, cache: 'no-store' }
  const response = await fetch(target.url, init).catch((cause: unknown) => {
    throw transient(cause)
  })
  if (!transientStatus.has(response.status)) return response
  await discard(response)
  const seconds = Number(response.headers.get('retry-after') ?? 0) // a date, the other form, is not a number
  const delay = seconds > 0 ? Math.min(maxDelay, 1000 * seconds) : 0
  throw new TransientFailure(`status ${response.status}`, { delay })
}

/** The pieces of a body as they come; a line that breaks is a TransientFailure. */
export async function* bodyOf(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader()
  try {
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

/** Ends a response whose body nobody wants; that it is broken already does not matter. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined)
}

/** fetch hides the system's reason one level down. */
function transient(error: unknown): TransientFailure {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return new TransientFailure(reasonOf(cause), { cause })
}

/**
 * Tries five times in all, after 0.5, 1, 2 and 4 seconds or what the server asks for; failures after some progress, as
 * `progress` counts it, are counted anew. Throws a FileError with the last failure, and the signal's reason.
 */
export async function retry<T>(
  { name, signal, delay }: Target,
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    const before = progress()
    let asked: number
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof TransientFailure)) throw error
      if (progress() > before) failures = 1
      if (failures === maxAttempts)
        throw new FileError(
          { where: name, what: `cannot be read after ${maxAttempts} attempts`, got: quote(error.message) },
          { cause: error.cause },
        )
      asked = error.delay
    }
    await delay(Math.max(asked, firstDelay * 2 ** (failures - 1)), signal)
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
