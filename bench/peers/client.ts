// A peer as the bench sees it: another library in a process of its own, on the same adapter or as many threads.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { OperandSpec } from '../case.js'
import type { Runner } from '../measure.js'
import type { Answer, PeerName, PeerTask, Request } from './protocol.js'

const worker = fileURLToPath(new URL('worker.js', import.meta.url))
const keptNoise = 2000

export interface PeerOptions {
  /** A kind that openAdapter takes, for those on WebGPU. */
  readonly adapter?: string
  /** For those on the CPU. */
  readonly threads: number
  /** Seconds after which a request is given up, and the process with it. */
  readonly patience: number
}

export class Peer implements Runner {
  version = ''
  #child: ChildProcess | undefined
  /** The end of what it wrote on its standard error. */
  #noise = ''

  constructor(
    readonly name: PeerName,
    private readonly options: PeerOptions,
  ) {}

  /** Starts the process, unless it runs. Throws an error that says why it cannot. */
  async start(): Promise<void> {
    if (this.#child) return
    const { adapter = '', threads } = this.options
    const child = fork(worker, [this.name, adapter, String(threads)], {
      serialization: 'advanced', // NaN and infinities arrive as they are
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    this.#noise = ''
    child.stderr?.on('data', (chunk: Buffer) => (this.#noise = (this.#noise + chunk).slice(-keptNoise)))
    child.on('error', error => (this.#noise += error.message)) // a request that comes too late; its end is told below
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    this.version = (await this.#answer(child)).version ?? ''
  }

  /** Makes the operands there and runs once; seconds. Starts the process anew if it died. */
  async prepare(task: PeerTask, operands: Readonly<Record<string, OperandSpec>>): Promise<number> {
    await this.start()
    return (await this.#ask({ do: 'prepare', task, operands })).seconds ?? NaN
  }

  /** Elements of the output, in our layout. */
  async values(indices: readonly number[]): Promise<readonly number[]> {
    return (await this.#ask({ do: 'values', indices })).values ?? []
  }

  async round(repeats: number): Promise<number> {
    return (await this.#ask({ do: 'round', repeats })).seconds ?? NaN
  }

  /** Ends the process. */
  async close(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#child = undefined
    const ended = once(child, 'exit')
    child.kill('SIGKILL') // a driver may hang while it unloads
    await ended
  }

  async #ask(request: Request): Promise<Answer> {
    const child = this.#child
    if (!child) throw new Error('its process is gone')
    child.send(request)
    return this.#answer(child)
  }

  /** The next message of the process; throws if it is an error, and when none comes. */
  async #answer(child: ChildProcess): Promise<Answer> {
    const listening = new AbortController()
    const { signal } = listening
    const { patience } = this.options
    let timer: NodeJS.Timeout | undefined
    const impatience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${patience} s`)), 1e3 * patience)
    })
    try {
      const answer = await Promise.race([
        once(child, 'message', { signal }).then(([message]) => message as Answer),
        once(child, 'exit', { signal }).then(([code, killed]) => {
          throw new Error(`its process ended (${killed ?? code}): ${this.#noise.trim().split('\n').at(-1)}`)
        }),
        impatience,
      ])
      if (answer.error === undefined) return answer
      throw new Error(answer.error)
    } catch (error) {
      if ((error as Error).message.startsWith('no answer')) await this.close()
      throw error
    } finally {
      clearTimeout(timer)
      listening.abort()
    }
  }
}

/** Starts peers; those that cannot be are told of in a line each and left out. */
export async function startPeers(
  names: readonly PeerName[],
  options: PeerOptions,
  notice: (line: string) => void,
): Promise<Peer[]> {
  const started: Peer[] = []
  for (const name of names) {
    const peer = new Peer(name, options)
    try {
      await peer.start()
      started.push(peer)
    } catch (error) {
      notice(`${name} does not run here: ${(error as Error).message}`)
      await peer.close()
    }
  }
  return started
}
