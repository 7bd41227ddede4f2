// A storage as every runtime has it: a block of its memory, or a draft of one while work is being recorded.

import { LifetimeError } from './errors.js'
import type { TensorSpec } from './op.js'
import { Draft, insideCapture, settled, type Block, type Place } from './recording.js'
import type { Storage, StoredTensor } from './runtime.js'

/** A block in the hands of a tensor or a kernel, with the size and label that they asked for. */
export class BlockStorage<B extends Block> implements Storage {
  #place: Place<B> | undefined

  constructor(
    place: Place<B>,
    readonly bytes: number,
    readonly label: string,
  ) {
    this.#place = place
  }

  /** Where it is; throws a LifetimeError when it was released. */
  get place(): Place<B> {
    if (!this.#place) throw new LifetimeError({ where: this.label, what: 'memory used after it was released' })
    return this.#place
  }

  /** Lets go; gives the block that has a holder less now. The second time there is none. */
  release(): B | undefined {
    const place = this.#place
    this.#place = undefined
    if (place instanceof Draft) place.kept = false
    return place && settled(place)
  }
}

/** The block at a place; throws a LifetimeError while the work that uses it is being recorded. */
export function blockAt<B extends Block>(place: Place<B>, label: string): B {
  const block = settled(place)
  if (!block) throw insideCapture(label)
  return block
}

/** Where a storage is; throws a LifetimeError when it was released. */
export function placeOf<B extends Block>(storage: Storage): Place<B> {
  return (storage as BlockStorage<B>).place
}

/** The block of a storage; throws a LifetimeError when it was released, or is part of work that is being recorded. */
export function blockOf<B extends Block>(storage: Storage): B {
  return blockAt(placeOf<B>(storage), storage.label)
}

/** A tensor's memory, which may outlive its storage. */
export interface HeldTensor<B extends Block> extends TensorSpec {
  readonly place: Place<B>
  readonly label: string
}

/** Takes note of where a tensor is; throws a LifetimeError when it was released. */
export function held<B extends Block>({ shape, dtype, storage }: StoredTensor): HeldTensor<B> {
  return { shape, dtype, place: placeOf(storage), label: storage.label }
}
