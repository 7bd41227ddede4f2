// Golden traces of the optimiser: what each step makes of parameters, and what it remembers in the end.

import { affine, differentiate, matmul, mul, sub, sum } from '../../kernels/index.js'
import { AdamW, Weights } from '../../nn/index.js'
import { capture, FileError, keep, sameShape, showShape, Tensor, type Runtime } from '../../tensor/index.js'
import { gradientTolerance, tolerance, type OpsCase } from './ops-case.js'
import { compare, take, type VerifyCase } from './outcome.js'

const maxSteps = 1000

/** Whether a case is such a trace. */
export function isTrace({ op }: OpsCase): boolean {
  return op === 'torch.optim.AdamW'
}

interface TraceOptions {
  /** Comes before the case's name. */
  prefix?: string
  /** Plans a step once and replays it. */
  captured?: boolean
}

/**
 * Runs AdamW on p A p / 2 - b p with A [N,N], b [N] and p0 [N] of the case, and compares parameters, gradients and losses
 * of every step and the last moments. Throws a FileError if the case is malformed.
 */
export async function compareTrace(
  item: OpsCase,
  runtime: Runtime,
  { prefix = '', captured: replayed = false }: TraceOptions = {},
): Promise<VerifyCase[]> {
  const operands = await item.load(runtime)
  using weights = new Weights()
  try {
    const call = item.call(operands)
    const [A, b] = [call.tensor('A'), call.tensor('b')]
    const start = call.numbers('p0')
    const [steps, size] = call.outShape
    const fits =
      sameShape(call.outShape, [steps, size]) &&
      sameShape(A.shape, [size, size]) &&
      sameShape(b.shape, [size]) &&
      sameShape(start.shape, [size])
    if (!fits || steps < 1 || steps > maxSteps || size < 1)
      throw new FileError({
        where: item.where,
        what: 'not a trace of an optimiser',
        expected: `A [N,N], b [N], p0 [N] and params [steps,N] of up to ${maxSteps} steps`,
        got: `${[A.shape, b.shape, start.shape, call.outShape].map(showShape).join(', ')}`,
      })
    const rate = call.number('lr')

    const p = weights.scope().parameter('p', [size])
    p.replace(keep(Tensor.from(runtime, Float32Array.from(start.data), [size])))
    using optimiser = new AdamW([p], {
      betas: call.pair('betas'),
      eps: call.number('eps'),
      weightDecay: call.number('weight_decay'),
    })
    const step = () => {
      const { loss, gradients } = differentiate([p.value], () => {
        const x = p.value.reshape([size, 1])
        return sum(mul(x, sub(affine(matmul(A, x), 0.5, 0), b.reshape([size, 1]))))
      })
      optimiser.apply(gradients)
      return { loss, gradient: gradients[0]! }
    }
    using captured = replayed ? capture(runtime, step) : undefined
    const [params, grads, losses]: number[][] = [[], [], []]
    for (let i = 0; i < steps; i++) {
      optimiser.advance(rate)
      const { loss, gradient } = captured ? captured.replay() : step()
      params.push(...(await p.value.floats()))
      for (const [tensor, list] of [
        [loss, losses],
        [gradient, grads],
      ] as const)
        list.push(...(captured ? await tensor.floats() : (await take(tensor)).data))
    }

    const name = prefix + item.name
    const cases: VerifyCase[] = []
    for (const [tensor, values, allowed] of [
      ['params', params, tolerance],
      ['grads', grads, gradientTolerance],
      ['losses', losses, tolerance],
    ] as const) {
      const shape = tensor === 'losses' ? [steps] : [steps, size]
      cases.push(compare(name, tensor, { data: Float32Array.from(values), shape }, await item.read(tensor), allowed))
    }
    for (const { name: state, shape, data } of optimiser.entries()) {
      if (typeof data !== 'function') continue
      const tensor = state.slice(0, -'.p'.length)
      cases.push(compare(name, tensor, { data: await data(), shape }, await item.read(tensor), tolerance))
    }
    return cases
  } finally {
    operands.dispose()
  }
}
