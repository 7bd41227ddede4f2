// A server that speaks like the Hugging Face hub, and another that it sends people to for large files.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** What was asked for, and with what. */
export interface Asked {
  readonly where: 'hub' | 'store'
  readonly path: string
  readonly range: string | undefined
  readonly token: string | undefined
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A file as a good server sends it: all of it, or from the byte on that was asked for. */
export function sending(body: Uint8Array): Answer {
  return ({ headers: { range } }, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
    const part = { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }
    const length = { 'content-length': body.length - start }
    response.writeHead(range ? 206 : 200, range ? { ...part, ...length } : length).end(body.subarray(start))
  }
}

/** The first `count` bytes of a good answer, and then the line is cut. */
export function cutAfter(count: number, body: Uint8Array): Answer {
  return beginning(count, body, response => response.destroy())
}

/** The first `count` bytes of a good answer, and then silence. */
export function silentAfter(count: number, body: Uint8Array): Answer {
  return beginning(count, body, () => undefined)
}

function beginning(count: number, body: Uint8Array, then: (response: ServerResponse) => void): Answer {
  return (request, response) => {
    response.end = ((rest: Uint8Array) =>
      response.write(rest.subarray(0, count), () => then(response))) as unknown as typeof response.end
    sending(body)(request, response)
  }
}

export function refusing(status: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => response.writeHead(status, headers).end('no')
}

/** Serves one repository, `owner/name`. */
export class FakeHub {
  readonly asked: Asked[] = []
  /** What is answered first, before good answers, by path in the repository; '' is the list of files. */
  readonly first = new Map<string, Answer[]>()
  private readonly hub: Server
  private readonly store: Server

  constructor(
    readonly repository: string,
    readonly files: Map<string, Uint8Array>,
  ) {
    this.hub = createServer((request, response) => this.answer('hub', request, response))
    this.store = createServer((request, response) => this.answer('store', request, response))
  }

  async open(): Promise<void> {
    for (const server of [this.hub, this.store]) await once(server.listen(0, '127.0.0.1'), 'listening')
  }

  close(): void {
    for (const server of [this.hub, this.store]) {
      server.closeAllConnections()
      server.close()
    }
  }

  get endpoint(): string {
    return originOf(this.hub)
  }

  /** Paths of files that were asked for, without the list. */
  get brought(): string[] {
    return this.asked.filter(({ path, where }) => path !== '' && where === 'hub').map(({ path }) => path)
  }

  private answer(where: 'hub' | 'store', request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '', this.endpoint)
    const { range, authorization: token } = request.headers
    const isList = pathname === `/api/models/${this.repository}/tree/main` && searchParams.get('recursive') === 'true'
    const path = isList ? '' : pathname.replace(`/${this.repository}/resolve/main/`, '')
    this.asked.push({ where, path, range, token })
    const file = this.files.get(path)
    const isRedirect = where === 'hub' && path.endsWith('.safetensors') && file
    const scripted = isRedirect ? undefined : this.first.get(path)?.shift()
    if (scripted) scripted(request, response)
    else if (isRedirect)
      response.writeHead(302, { location: `${originOf(this.store)}${pathname}?signature=secret` }).end()
    else if (isList) response.end(JSON.stringify(this.list()))
    else if (file) sending(file)(request, response)
    else refusing(404)(request, response)
  }

  private list(): object[] {
    const files = [...this.files].map(([path, bytes]) => ({
      type: 'file',
      oid: '0'.repeat(40),
      path,
      size: bytes.length,
      lfs: path.endsWith('.safetensors') ? { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } : undefined,
    }))
    return [{ type: 'directory', oid: '0'.repeat(40), size: 0, path: 'unet' }, ...files]
  }
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
