// Golden numbers on this machine: how a user finds out whether a driver computes right.

import { FileError, type Runtime } from '../../tensor/index.js'
import { bodiesKind } from './bodies.js'
import { clipTextKind } from './clip-text.js'
import { clipVisionKind } from './clip-vision.js'
import { depthAnythingKind } from './depth-anything.js'
import { findFolders, type GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { opsKind } from './ops.js'
import { isSkip, type VerifyCase, type VerifyOutcome, type VerifySkip } from './outcome.js'
import { randomKind } from './random.js'
import { realNamesFile, verifyRealNames } from './real-names.js'
import { resizeKind } from './resize.js'
import { rotationsKind } from './rotations.js'
import { schedulerKind } from './scheduler.js'
import { pipelineKind } from './svd-pipeline.js'
import { similarityKind } from './similarity.js'
import { unetKind } from './unet.js'
import { vaeKind } from './vae.js'

/** What can be verified; every further kind is a line here. */
const kinds: readonly GoldenKind[] = [
  opsKind,
  randomKind,
  schedulerKind,
  resizeKind,
  unetKind,
  vaeKind,
  clipVisionKind,
  clipTextKind,
  depthAnythingKind,
  pipelineKind,
  rotationsKind,
  bodiesKind,
  similarityKind,
]

/**
 * Compares golden files (test/golden/README.md) with what this machine computes: those of a folder and of folders in
 * it, recognised by their names, whatever their weights, sizes and seeds. Tells of each tensor as soon as it is known.
 *
 * @throws FileError if there are no golden files, or one is malformed; DeviceLostError
 */
export async function* verify(path: string, runtime: Runtime): AsyncGenerator<VerifyOutcome, void, undefined> {
  let known = false
  for (const folder of await findFolders(path)) {
    for await (const outcome of verifyFolder(folder, runtime)) {
      known = true
      yield outcome
    }
  }
  if (!known) throw new FileError({ where: path, what: 'no golden files', expected: 'files as in test/golden' })
}

async function* verifyFolder(folder: GoldenFolder, runtime: Runtime): AsyncGenerator<VerifyOutcome, void, undefined> {
  const rest = new Set(folder.tensorFiles())
  for (const kind of kinds) {
    const claimed = await kind.claim(folder)
    for (const name of claimed) rest.delete(name)
    if (claimed.length > 0) yield* kind.verify(folder, runtime, claimed)
  }
  if (folder.files.has(realNamesFile)) yield* verifyRealNames(folder)
  if (rest.size > 0) yield { name: folder.title, reason: `nothing here computes this: ${[...rest].sort().join(', ')}` }
}

/** All outcomes of a verification. */
export interface VerifyReport {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly VerifySkip[]
  readonly cases: readonly VerifyCase[]
}

/** Counts outcomes. */
export function reportOf(outcomes: readonly VerifyOutcome[]): VerifyReport {
  const skipped = outcomes.filter(isSkip)
  const cases = outcomes.filter((outcome): outcome is VerifyCase => !isSkip(outcome))
  const passed = cases.filter(({ ok }) => ok).length
  return { passed, failed: cases.length - passed, skipped, cases }
}
