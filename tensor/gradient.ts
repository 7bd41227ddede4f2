// The gradient of an operation, stated beside its forward: what it is computed from and what it gives.

import type { Each, Op } from './op.js'
import type { Tensor } from './tensor.js'

/** What the gradient of one run is computed from. */
export interface Backward<I extends object, P> {
  readonly inputs: Each<I, Tensor>
  readonly outputs: readonly Tensor[]
  readonly params: P
  /** d loss / d output of each output, f32, in its shape; undefined where it has no influence on the loss. */
  readonly upstream: readonly (Tensor | undefined)[]
  /** Names of the operands whose gradient is asked for. */
  readonly needs: ReadonlySet<keyof I>
}

/** How the gradient of an operation is computed. */
export interface Gradient<I extends object = object, P = unknown> {
  readonly op: Op<I, P>
  /**
   * d loss / d operand, f32, in the operand's shape, at least of those in `needs`; left out where it is zero. It may
   * give `upstream` or an operand back as it is. What else it makes is released when it returns.
   */
  readonly backward: (call: Backward<I, P>) => Partial<Each<I, Tensor>>
  /**
   * What `backward` looks into; of all else it gets handles that only know their shape, and their memory need not wait
   * for it. Default: everything.
   */
  readonly reads?: (params: P, needs: ReadonlySet<keyof I>) => readonly (keyof I | 'outputs')[]
}

/** Binds a gradient to its operation. */
export function gradient<I extends object, P>(
  op: Op<I, P>,
  backward: Gradient<I, P>['backward'],
  reads?: Gradient<I, P>['reads'],
): Gradient {
  return { op, backward, reads } as unknown as Gradient
}
