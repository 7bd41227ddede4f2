// The descent: one step captured, replayed on the same memory.

import { differentiate } from '../../../kernels/index.js'
import { AdamW, Parameter } from '../../../nn/index.js'
import { capture, keep, readAll, Tensor, type Runtime } from '../../../tensor/index.js'
import type { Figure } from './figure.js'
import { FitLoss, type LossData } from './loss.js'

/** What is fitted, N frames. */
export interface Fitted {
  /** [N x 3 K] */
  readonly pose: Float32Array
  /** [N x 3] */
  readonly place: Float32Array
  /** [S] */
  readonly shape: Float32Array
}

/** What came of it. */
export interface Descent extends Fitted {
  /** [N]: what was seen and is not where the body is, in usual widths, squared and added up. */
  readonly apart: Float32Array
  /** [N]: how odd the poses are. */
  readonly odd: Float32Array
  /** [N x K x 3]: where the nodes are, metres in the camera's axes. */
  readonly nodes: Float32Array
}

const firstRate = 0.04
const lastRate = 0.002

/** Moves pose, place and shape, `steps` times, to where the loss is small. */
export async function descend(
  runtime: Runtime,
  figure: Figure,
  data: LossData,
  start: Fitted,
  steps: number,
): Promise<Descent> {
  const rows = data.distances.length
  using loss = new FitLoss(runtime, figure, data)
  const parameter = (name: string, values: Float32Array, shape: number[]) => {
    const made = new Parameter(name, shape)
    made.replace(keep(Tensor.from(runtime, values, shape, 'f32', name)))
    return made
  }
  const parameters = [
    parameter('pose', start.pose, [rows, figure.rest.length]),
    parameter('place', start.place, [rows, 3]),
    parameter('shape', start.shape, [1, figure.shapes]),
  ]
  const leaves = parameters.map(({ value }) => value)
  const [pose, place, shape] = leaves
  using optimiser = new AdamW(parameters, { betas: [0.9, 0.99], weightDecay: 0 })
  try {
    using step = capture(runtime, () => {
      const { value, gradients } = differentiate(leaves, () => loss.of({ pose, place, shape }))
      optimiser.apply(gradients)
      return value.loss
    })
    for (let i = 0; i < steps; i++) {
      optimiser.advance(lastRate + (firstRate - lastRate) * 0.5 * (1 + Math.cos((Math.PI * i) / steps)))
      step.replay()
    }
    const end = loss.of({ pose, place, shape })
    const results = [...leaves, end.apart, end.odd, loss.nodes({ pose, place, shape }), end.loss]
    try {
      const [poses, places, shapes, apart, odd, nodes] = await readAll(results)
      return { pose: poses, place: places, shape: shapes, apart, odd, nodes } as Descent
    } finally {
      for (const tensor of results.slice(leaves.length)) tensor.dispose()
    }
  } finally {
    for (const made of parameters) made.dispose()
  }
}
