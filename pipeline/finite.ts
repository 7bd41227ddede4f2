// A network whose results are no numbers is found out where it happens, not hours later as a grey video.

import { NumberError, type Tensor } from '../tensor/index.js'

/** A network gave infinities or NaN: its weights hold some, or the device computed wrongly. */
export class NotFiniteError extends NumberError {}

/**
 * The elements as f32, after all work recorded so far. `what` of the network `where` they are; throws a NotFiniteError.
 */
export async function finiteFloats(tensor: Tensor, where: string, what: string): Promise<Float32Array> {
  const values = await tensor.floats()
  const bad = values.findIndex(value => !Number.isFinite(value))
  if (bad < 0) return values
  throw new NotFiniteError({
    where,
    what: `${what} hold what is no finite number`,
    got: `${values[bad]} at ${bad} of ${values.length}`,
    hint: 'other weights, or `revision doctor`, which checks the runtime',
  })
}
