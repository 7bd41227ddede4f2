// Golden files in tests: what `revision verify` compares, as assertions.

import type { Test } from 'tap'
import { findFolders, type GoldenFolder } from '../../pipeline/verify/folder.js'
import type { GoldenKind } from '../../pipeline/verify/kind.js'
import { isSkip, type VerifyCase, type VerifyOutcome } from '../../pipeline/verify/outcome.js'
import type { Runtime } from '../../tensor/index.js'
import { golden } from './paths.js'

/** A folder of test/golden. */
export async function goldenFolder(place: string): Promise<GoldenFolder> {
  const [folder] = await findFolders(golden(place))
  return folder
}

/** Asserts that outcomes are good, to the tolerance of `verify` or a stricter one. Gives what was compared. */
export async function assertOutcomes(
  t: Test,
  outcomes: AsyncIterable<VerifyOutcome> | Iterable<VerifyOutcome>,
  toleranceOf = ({ tolerance }: VerifyCase) => tolerance,
): Promise<VerifyCase[]> {
  const cases: VerifyCase[] = []
  for await (const outcome of outcomes) {
    if (isSkip(outcome)) continue
    const { name, tensor, error, message } = outcome
    const tolerance = toleranceOf(outcome)
    t.ok(error <= tolerance, `${name} ${tensor}: ${message ?? `error ${error.toExponential(2)}, allowed ${tolerance}`}`)
    cases.push(outcome)
  }
  t.ok(cases.length > 0, 'something was compared')
  return cases
}

/** Asserts that a runtime gives the numbers of files in a folder of test/golden, named without ending. */
export async function agrees(
  t: Test,
  kind: GoldenKind,
  runtime: Runtime,
  place: string,
  files: readonly string[],
  toleranceOf?: (outcome: VerifyCase) => number,
): Promise<void> {
  await assertOutcomes(t, kind.verify(await goldenFolder(place), runtime, files), toleranceOf)
}
