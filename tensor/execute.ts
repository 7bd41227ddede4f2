// One door through which every operation passes: checks, allocates the outputs, records.

import { LifetimeError, ShapeError } from './errors.js'
import type { Each, Op } from './op.js'
import { sameShape, showShape } from './shape.js'
import { assertNotTaped, note } from './tape.js'
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
  note(op, inputs, outputs, params)
  return outputs
}

/**
 * Runs an operation whose outputs are there already: it replaces what they hold, and may read it first if that is how
 * it is stated. For the state of a training run; every handle that shares the memory sees it. No target is an operand.
 * Throws a LifetimeError if a tape still reads a target.
 */
export function update<I extends object, P>(
  op: Op<I, P>,
  inputs: Each<I, Tensor>,
  targets: readonly Tensor[],
  params: P,
): void {
  const { runtime } = targets[0]
  const tensors = Object.values(inputs).filter((tensor): tensor is Tensor => tensor !== undefined)
  if ([...tensors, ...targets].some(tensor => tensor.runtime !== runtime))
    throw new LifetimeError({ where: op.name, what: 'operands live on different runtimes' })
  for (const target of targets) assertNotTaped(target)
  op.infer(inputs, params).forEach(({ shape, dtype }, i) => {
    if (targets[i].dtype !== dtype || !sameShape(targets[i].shape, shape))
      throw new ShapeError({
        where: op.name,
        what: 'target does not fit',
        expected: `${dtype} ${showShape(shape)}`,
        got: `${targets[i].dtype} ${showShape(targets[i].shape)}`,
      })
  })
  runtime.run(op, inputs, targets, params)
}
