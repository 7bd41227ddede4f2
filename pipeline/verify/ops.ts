// Golden files of operators, outputs and gradients, and of the optimiser.

import type { Runtime } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { operatorOf } from './operators.js'
import { parseOps, type OpsCase } from './ops-case.js'
import { attempt, type VerifyOutcome } from './outcome.js'
import { compareTrace, isTrace } from './trace.js'

async function* verify(folder: GoldenFolder, runtime: Runtime): AsyncGenerator<VerifyOutcome, void, undefined> {
  const file = await folder.open('ops')
  const title = folder.titleOf('ops')
  const prefix = `${title}/`
  /** Cases by operators that no gradient can be taken through. */
  const lacking = new Map<string, number>()
  const verifyCase = async function* (item: OpsCase): AsyncGenerator<VerifyOutcome> {
    yield* await item.compare(runtime, prefix)
    const gradients = await item.compareGradients(runtime, prefix)
    if (gradients) yield* gradients
    else lacking.set(item.op, (lacking.get(item.op) ?? 0) + 1)
  }
  try {
    for (const item of parseOps(folder.titleOf('ops.json'), await folder.readObject('ops.json'), file)) {
      const name = prefix + item.name
      if (isTrace(item)) yield* attempt(name, () => compareTrace(item, runtime, { prefix }))
      else if (operatorOf(item.op)) yield* attempt(name, () => verifyCase(item))
      else yield { name, reason: `no operation of this kind: ${item.op}` }
    }
  } finally {
    await file.close()
  }
  for (const [op, count] of lacking)
    yield { name: `${title}: gradients of ${op}`, reason: `${count} cases: an operation on the way has no gradient` }
}

export const opsKind: GoldenKind = {
  claim: ({ files }) => (files.has('ops.json') ? ['ops'] : []),
  verify,
}
