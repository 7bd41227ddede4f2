// What the bench wants from another library.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import type { Shape } from '../../tensor/index.js'
import { peersFolder } from './install.js'
import type { PeerTask } from './protocol.js'

/** Operands of a task, in our layout. */
export type HostTensors = Readonly<Record<string, { readonly data: Float32Array; readonly shape: Shape }>>

/** A task made ready: operands on the device, in the layout that the library likes best. */
export interface Work {
  /** Hands one run to the device, and releases what the run before made. Need not wait. */
  run(): void | Promise<void>
  /** Submits what the library still holds back. */
  flush?(): void
  /** The output of the last run, in our layout. */
  output(): Promise<Float32Array>
  dispose(): void | Promise<void>
}

export interface Driver {
  readonly version: string
  /** Throws where the library cannot do the task. */
  prepare(task: PeerTask, operands: HostTensors): Promise<Work>
}

const requirePeer = createRequire(join(peersFolder, 'package.json'))

/** Loads a CommonJS package of the peers' folder. */
export const load = (name: string): unknown => requirePeer(name)

/** A file of a package there. */
export const fileOf = (name: string, ...path: string[]) => join(peersFolder, 'node_modules', name, ...path)

/** The version of a package there. */
export const versionOf = (name: string) =>
  (JSON.parse(readFileSync(fileOf(name, 'package.json'), 'utf8')) as { version: string }).version

/** A version that says on how many threads it runs. */
export const onThreads = (version: string, threads: number) =>
  `${version} (${threads} ${threads === 1 ? 'thread' : 'threads'})`
