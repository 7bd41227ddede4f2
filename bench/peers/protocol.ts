// What the bench and the process of a peer say to each other: one request, one answer.

import type { OperandSpec } from '../case.js'

/** Other libraries that the bench can run: on WebGPU, on WebAssembly, and native. */
export const peerNames = ['tfjs', 'jax', 'ort', 'tfjs-wasm', 'jax-wasm', 'ort-wasm', 'ort-node'] as const
export type PeerName = (typeof peerNames)[number]

/** Peers that no page could load: how far they are ahead is told, but they are no competitors. */
export const nativePeers: readonly PeerName[] = ['ort-node']

/** Work that peers know how to do, on operands whose names each task states. Layouts are ours: channels last. */
export type PeerTask =
  /** a [M,K] b [K,N], or b [N,K] when transposed */
  | { readonly op: 'matmul'; readonly transposeB: boolean }
  /** x [B,H,W,C], weight [O,kh,kw,C], bias [O] */
  | { readonly op: 'conv2d'; readonly padding: number; readonly stride: number }
  /** q, k, v [B,N,C] */
  | { readonly op: 'attention'; readonly heads: number }
  /** x [..., D] along its last axis */
  | { readonly op: 'softmax' }
  /** x [B,H,W,C], weight [C], bias [C] */
  | { readonly op: 'group_norm'; readonly groups: number; readonly eps: number }
  /** x [..., C], weight [C], bias [C] */
  | { readonly op: 'layer_norm'; readonly eps: number }
  /** silu(x) + y, one shape */
  | { readonly op: 'silu_add' }
  /** x */
  | { readonly op: 'permute'; readonly axes: readonly number[] }
  /** x [B,H,W,C], twice as high and wide, nearest */
  | { readonly op: 'upsample' }

export type Request =
  /** Makes the operands, and runs once; whatever was prepared before is released. */
  | { readonly do: 'prepare'; readonly task: PeerTask; readonly operands: Readonly<Record<string, OperandSpec>> }
  /** Elements of the output at these indices, in our layout. */
  | { readonly do: 'values'; readonly indices: readonly number[] }
  /** Runs so many times, then waits once. */
  | { readonly do: 'round'; readonly repeats: number }

export interface Answer {
  /** Said once, unasked, as soon as the peer is there. */
  readonly version?: string
  readonly seconds?: number
  readonly values?: readonly number[]
  /** The request was not fulfilled. */
  readonly error?: string
}
