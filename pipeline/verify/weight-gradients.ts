// Comparing the gradients of all weights of a network with the reference's: the length of each, and some in full.

import { calculusOf } from '../../kernels/index.js'
import type { Parameter, Weights } from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, scope, Tape, type Tensor } from '../../tensor/index.js'
import { channelsFirst } from './modules.js'
import { compare, compareAbsolutely, readNumbers, take, type VerifyCase } from './outcome.js'

const prefix = 'grad.'

const gradientTolerance = 1e-3
/** Of a gradient that is zero but for rounding. */
const zeroTolerance = 1e-3

/** Names of the weights that `gradnorms` tells the lengths of. */
function orderOf({ name, metadata }: TensorFile): string[] {
  try {
    const order: unknown = JSON.parse(metadata.get('order') ?? '')
    if (Array.isArray(order) && order.every(entry => typeof entry === 'string')) return order
  } catch {
    // Not JSON: as bad as none.
  }
  throw new FileError({ where: name, what: 'metadata do not tell the order of gradnorms', expected: 'names as JSON' })
}

/**
 * Differentiates sum(forward() * upstream) with respect to all weights, and compares with `gradnorms` and `grad.<name>`
 * of a golden file.
 */
export async function* verifyGradients(
  name: string,
  weights: Weights,
  file: TensorFile,
  forward: () => Tensor,
  upstream: Tensor,
): AsyncGenerator<VerifyCase, void, undefined> {
  const parameters = [...weights.parameters.values()]
  const gradients = scope(() => {
    using tape = new Tape(
      parameters.map(({ value }) => value),
      calculusOf(),
    )
    const output = tape.record(forward)
    return tape.backward(output, upstream)
  })
  try {
    yield* compareGradients(name, parameters, gradients, file)
  } finally {
    for (const gradient of gradients) gradient?.dispose()
  }
}

async function* compareGradients(
  name: string,
  parameters: readonly Parameter[],
  gradients: readonly (Tensor | undefined)[],
  file: TensorFile,
): AsyncGenerator<VerifyCase, void, undefined> {
  const byName = new Map(parameters.map((parameter, i) => [parameter.name, { parameter, gradient: gradients[i] }]))
  const { data: norms } = await readNumbers(file, 'gradnorms')
  for (const [i, weight] of orderOf(file).entries()) {
    const found = byName.get(weight)
    if (!found) throw new FileError({ where: file.name, what: `gradient of no weight of the network: ${weight}` })
    const { parameter, gradient } = found
    const elements = gradient ? await gradient.floats() : new Float32Array(1)
    const length = [elements.reduce((sum, x) => sum + x * x, 0) ** 0.5]
    const expected = [norms[i]]
    const tensor = `gradnorms ${weight}`
    if (norms[i] === 0) yield compareAbsolutely(name, tensor, length, expected, zeroTolerance)
    else
      yield compare(
        name,
        tensor,
        { data: Float32Array.from(length), shape: [1] },
        { data: Float32Array.from(expected), shape: [1] },
        gradientTolerance,
      )
    if (!file.tensors.has(prefix + weight) || !gradient) continue
    const stored = parameter.options.layout === 'channels-last' ? channelsFirst(gradient) : gradient.share()
    yield compare(
      name,
      prefix + weight,
      await take(stored),
      await readNumbers(file, prefix + weight),
      gradientTolerance,
    )
  }
}
