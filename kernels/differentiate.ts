// The way from a loss to the gradients of what it depends on.

import { scope, Tape, Tensor, Watch, type Calculus, type Gradient } from '../tensor/index.js'
import { add } from './elementwise/binary.js'
import { affine } from './elementwise/unary.js'
import { gradients } from './gradients.js'
import { sum } from './reduce/reduce.js'

/** What a tape computes with: the gradients of the house, and those of one's own. */
export function calculusOf(own: readonly Gradient[] = []): Calculus {
  return { gradients: new Map([...gradients, ...own].map(rule => [rule.op.name, rule])), add }
}

/** Looks for the first result that is not finite; see `Watch`. */
export function watchNumbers(): Watch {
  // 0 times infinity is NaN; finite numbers of any size add up to 0.
  return new Watch(tensor => scope(() => sum(affine(tensor, 0, 0))))
}

export interface DifferentiateOptions {
  /** Gradients of operations of one's own; they take the place of those of the house. */
  gradients?: readonly Gradient[]
  /** Told of every result: `watchNumbers()`, for a step that gives NaN. */
  watch?: Watch
}

/** A loss, a single number, or several tensors of which one is the loss. */
export type Loss = Tensor | { readonly loss: Tensor }

export interface Differentiated<L extends Loss = Tensor> {
  /** All that `f` gave: the parts of a loss beside it, say. */
  readonly value: L
  readonly loss: Tensor
  /** d loss / d parameter for every parameter, f32 and in its shape; undefined where it has no influence. */
  readonly gradients: readonly (Tensor | undefined)[]
}

const house = calculusOf()

/**
 * Computes a loss and its gradients with respect to parameters (f32, f16 or bf16). `f` is called once
 * and acts as in a scope: what it makes is released when it is no longer needed. What does not depend on the parameters
 * is not recorded, so frozen weights cost nothing. Nothing waits; all of it can be captured.
 * @throws ShapeError when the loss is not a single number; UsageError for an operation without gradient
 */
export function differentiate<L extends Loss>(
  parameters: readonly Tensor[],
  f: () => L,
  { gradients: own, watch }: DifferentiateOptions = {},
): Differentiated<L> {
  return scope(() => {
    using tape = new Tape(parameters, own ? calculusOf(own) : house, watch)
    const value = scope(() => tape.record(f))
    const loss = value instanceof Tensor ? value : value.loss
    return { value, loss, gradients: tape.backward(loss) }
  })
}
