// A model's repository on the Hugging Face hub, or on a server that speaks like it: what is in it, and where.
// The interface is that of the hub's documentation: GET /api/models/{name}/tree/{revision} lists files, with the sha256
// of those in large file storage; GET /{name}/resolve/{revision}/{path} is a file, mostly by a redirect.

import {
  type HttpOptions,
  HttpStatusError,
  bodyOf,
  discard,
  retry,
  send,
  targetOf,
} from '../../tensor/files/http-request.js'
import { quote, quoteValue } from '../../tensor/files/quote.js'
import { FileError, UsageError } from '../../tensor/index.js'

const defaultEndpoint = 'https://huggingface.co'
const maxListBytes = 16 * 2 ** 20

/** Which hub, and who asks. */
export interface HubOptions extends Pick<HttpOptions, 'signal' | 'delay'> {
  /** The hub's origin, perhaps with a path; default: https://huggingface.co */
  endpoint?: string
  /** Sent to the endpoint, and to nobody it redirects to. */
  token?: string
  /** Branch, tag or commit; default: main. */
  revision?: string
}

/** What the hub says of a file. */
export interface HubFile {
  readonly path: string
  readonly size: number
  /** In hexadecimal; small files have none. */
  readonly sha256: string | undefined
}

/** One revision of one repository. */
export class HubRepository {
  /** For requests to the hub. */
  readonly http: HttpOptions
  private readonly endpoint: string
  private readonly revision: string

  /** `name` is `owner/name`; throws a UsageError on a bad endpoint or token. */
  constructor(
    readonly name: string,
    { endpoint = defaultEndpoint, token, revision = 'main', signal, delay }: HubOptions = {},
  ) {
    this.endpoint = endpoint.replace(/\/+$/, '')
    this.revision = encodeURIComponent(revision)
    this.http = { headers: token ? { authorization: `Bearer ${token}` } : {}, signal, delay }
    if (!URL.canParse(endpoint) || /[?#]/.test(endpoint))
      throw new UsageError({
        where: 'endpoint',
        what: 'not the address of a hub',
        expected: `a URL such as ${defaultEndpoint}`,
        got: quote(endpoint),
      })
    targetOf(this.urlOf(''), this.http)
  }

  /** Where a file is to be had. */
  urlOf(path: string): string {
    return `${this.endpoint}/${this.name}/resolve/${this.revision}/${path}`
  }

  /** All files by path. Throws a FileError if there is no such repository or its list makes no sense. */
  async list(): Promise<Map<string, HubFile>> {
    const url = `${this.endpoint}/api/models/${this.name}/tree/${this.revision}?recursive=true`
    const target = targetOf(url, this.http)
    const text = await this.explain(() =>
      retry(target, async () => {
        const response = await send(target, {})
        if (response.status === 200) return boundedText(target.name, response)
        await discard(response)
        throw new HttpStatusError(target.name, 200, response.status)
      }),
    )
    return readList(target.name, text)
  }

  /** Runs requests; a refusal is told with what helps against it. */
  async explain<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      if (!(error instanceof HttpStatusError)) throw error
      const hint = this.hintFor(error.status)
      throw hint === undefined ? error : new FileError({ ...error.parts, hint }, { cause: error })
    }
  }

  private hintFor(status: number): string | undefined {
    const licence = `an account that has accepted the licence on ${this.endpoint}/${this.name}`
    if (status === 401 && this.http.headers?.authorization) return `another token, of ${licence}`
    if (status === 401) return `a token (--token or HF_TOKEN) of ${licence}`
    if (status === 403) return `a token that may read the model, of ${licence}`
    return status === 404 ? 'another revision or endpoint' : undefined
  }
}

async function boundedText(where: string, response: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of bodyOf(response)) {
    size += piece.length
    if (size > maxListBytes)
      throw new FileError({ where, what: 'too long a list of files', expected: `at most ${maxListBytes} bytes` })
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

function readList(where: string, text: string): Map<string, HubFile> {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (cause) {
    throw new FileError({ where, what: 'not a list of files', expected: 'JSON', got: quote(text) }, { cause })
  }
  if (!Array.isArray(list))
    throw new FileError({ where, what: 'not a list of files', expected: 'a JSON array', got: quoteValue(list) })
  return new Map(list.flatMap((entry: unknown) => readEntry(where, entry)))
}

/** An entry of the list; none for a folder. */
function readEntry(where: string, entry: unknown): [string, HubFile][] {
  const { type, path, size, lfs } = { ...(entry as Record<string, unknown>) }
  if (type !== 'file') return []
  const sha256 = (lfs as { oid?: unknown } | undefined)?.oid
  const hasSize = Number.isSafeInteger(size) && Number(size) >= 0
  const hasHash = lfs === undefined || (typeof sha256 === 'string' && /^[\da-f]{64}$/.test(sha256))
  if (typeof path === 'string' && hasSize && hasHash)
    return [[path, { path, size: Number(size), sha256: sha256 as string | undefined }]]
  throw new FileError({
    where,
    what: 'bad entry in the list of files',
    expected: 'a path, a size, and the sha256 of a large file',
    got: quoteValue(entry),
  })
}
