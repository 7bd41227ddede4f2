// One kind of golden files: how it is recognised and what is done with it.

import type { Runtime } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { VerifyOutcome } from './outcome.js'

/** A kind of golden files. */
export interface GoldenKind {
  /** The safetensors files of a folder, without ending, that it takes; none if the folder has nothing of the kind. */
  claim(folder: GoldenFolder): readonly string[] | Promise<readonly string[]>
  /** Compares what it has claimed. Throws a FileError if a file is not what it should be. */
  verify(folder: GoldenFolder, runtime: Runtime, claimed: readonly string[]): AsyncIterable<VerifyOutcome>
}
