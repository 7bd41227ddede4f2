// Golden files of operators: outputs and gradients.

import type { Runtime } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { operatorOf } from './operators.js'
import { parseOps, type OpsCase } from './ops-case.js'
import { attempt, type VerifyOutcome } from './outcome.js'

async function* verifyCase(item: OpsCase, runtime: Runtime, prefix: string): AsyncGenerator<VerifyOutcome> {
  yield* await item.compare(runtime, prefix)
  const gradients = await item.compareGradients(runtime, prefix)
  if (gradients) yield* gradients
  else yield { name: prefix + item.name, reason: `gradients: an operation of ${item.op} has none` }
}

async function* verify(folder: GoldenFolder, runtime: Runtime): AsyncGenerator<VerifyOutcome, void, undefined> {
  const file = await folder.open('ops')
  const prefix = `${folder.titleOf('ops')}/`
  try {
    for (const item of parseOps(folder.titleOf('ops.json'), await folder.readObject('ops.json'), file)) {
      const name = prefix + item.name
      if (operatorOf(item.op)) yield* attempt(name, () => verifyCase(item, runtime, prefix))
      else yield { name, reason: `no operation of this kind: ${item.op}` }
    }
  } finally {
    await file.close()
  }
}

export const opsKind: GoldenKind = {
  claim: ({ files }) => (files.has('ops.json') ? ['ops'] : []),
  verify,
}
