// One door through which every operation passes: checks, allocates the outputs, records.

import { LifetimeError } from './errors.js'
import type { Each, Op } from './op.js'
import { Tensor } from './tensor.js'

/**
 * Runs an operation on its operands' runtime and returns its outputs. Throws ShapeError, LifetimeError,
 * OutOfMemoryError.
 */
export function execute<I extends object, P>(op: Op<I, P>, inputs: Each<I, Tensor>, params: P): Tensor[] {
  const operands = Object.values(inputs).filter((tensor): tensor is Tensor => tensor !== undefined)
  const { runtime } = operands[0]
  if (operands.some(tensor => tensor.runtime !== runtime))
    throw new LifetimeError({ where: op.name, what: 'operands live on different runtimes' })
  const outputs: Tensor[] = []
  try {
    for (const { shape, dtype } of op.infer(inputs, params))
      outputs.push(Tensor.allocate(runtime, shape, dtype, op.name))
    runtime.run(op, inputs, outputs, params)
  } catch (error) {
    for (const tensor of outputs) tensor.dispose()
    throw error
  }
  return outputs
}
