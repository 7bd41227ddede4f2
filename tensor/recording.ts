// The memory of recorded work. Work that is to run again on the same memory holds all of it: what it was given, what it
// keeps, and what passes through. The latter gets its memory when all is recorded, so that every lifetime is known:
// blocks are shared by greed for size, after Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
// Inference" (arXiv:2001.03288: greedy by size, for shared objects).

import { LifetimeError } from './errors.js'

/** What must not happen while recording, since a replay would not do it again. */
export function insideCapture(where: string): LifetimeError {
  return new LifetimeError({
    where,
    what: 'overwritten, read or captured inside a capture, which a replay could not repeat',
    hint: 'outside its body, between replays',
  })
}

/** A piece of a runtime's memory, with the number of those who use it: a storage, and recordings. */
export interface Block {
  readonly size: number
  holders: number
}

/** Memory that recorded work allocates, before it is known where. */
export class Draft<B extends Block> {
  /** The first and the last step that uses it. */
  first = Infinity
  last = -1
  /** Still in somebody's hands. */
  kept = true
  /** Where it is, once the recording has ended. */
  block: B | undefined
  constructor(readonly size: number) {}
}

export type Place<B extends Block> = B | Draft<B>

/** The block behind a place; undefined while it is being recorded. */
export function settled<B extends Block>(place: Place<B>): B | undefined {
  return place instanceof Draft ? place.block : place
}

/** The blocks of one recording: those it was given, and those that its drafts are settled on. */
export class RecordedMemory<B extends Block> {
  readonly #held = new Set<B>()
  readonly #drafts: Draft<B>[] = []
  #step = 0

  /** `drop` is told once of every block when the recording is released. */
  constructor(private readonly drop: (block: B) => void) {}

  /** Everything that the recorded work touches; complete after `settle`. */
  get blocks(): ReadonlySet<B> {
    return this.#held
  }

  /** Keeps a block that the work uses. */
  hold(block: B): void {
    if (this.#held.has(block)) return
    this.#held.add(block)
    block.holders++
  }

  /** Memory for something that the work makes. */
  draft(size: number): Draft<B> {
    const draft = new Draft<B>(size)
    this.#drafts.push(draft)
    return draft
  }

  /** The next step of the work reads or writes these places. */
  use(places: Iterable<Place<B>>): void {
    this.#step++
    for (const place of places) {
      if (!(place instanceof Draft)) this.hold(place)
      else {
        place.first = Math.min(place.first, this.#step)
        place.last = this.#step
      }
    }
  }

  /**
   * Ends the recording: every draft gets a block from `acquire`, which others share that are not in use at the same
   * steps. What is still in somebody's hands is in use to the end.
   */
  settle(acquire: (size: number) => B): void {
    for (const draft of this.#drafts) {
      if (!draft.kept) continue
      draft.first = Math.min(draft.first, this.#step)
      draft.last = Infinity
    }
    const shared: { block: B; users: Draft<B>[] }[] = []
    // Largest first: so any block made before is large enough. Of those that are free the first, which is the largest:
    // the smaller ones stay for what is smaller still.
    for (const draft of this.#drafts.toSorted((a, b) => b.size - a.size)) {
      if (draft.last < 0) continue
      let place = shared.find(({ users }) => users.every(user => user.last < draft.first || draft.last < user.first))
      if (!place) {
        place = { block: acquire(draft.size), users: [] }
        this.hold(place.block)
        shared.push(place)
      }
      place.users.push(draft)
      draft.block = place.block
      if (draft.kept) place.block.holders++
    }
  }

  release(): void {
    for (const block of this.#held) this.drop(block)
    this.#held.clear()
  }
}
