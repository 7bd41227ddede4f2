// What a fit makes small: how far points are from where they were seen, and how unlikely the motion is. Minus the
// logarithm of a probability, up to constants: each distance is told in the widths that are usual for it.
// After SMPLify (Bogo et al., arXiv:1607.08128): robust reprojection, limits and a prior on pose and shape; differs:
// joints' limits as boxes, points in space, and all frames together.

import { add, affine, clamp, div, kinematics, matmul, mul, slice, square, sub, sum } from '../../../kernels/index.js'
import { limitPenalty } from '../../../models/body/joint-limits.js'
import { matricesOfAxisAngle } from '../../../models/body/rotations.js'
import { scope, Tensor, type Runtime } from '../../../tensor/index.js'
import type { Figure } from './figure.js'
import type { Widths } from './widths.js'

/** What is told apart from frame to frame; N frames, or frames of several hypotheses one after the other. */
export interface LossData {
  /** [N x 9]: how the whole body is turned to begin with, transposed matrices, camera axes. */
  readonly turns: Float32Array
  /** [N x K x 2]: what is seen, as slopes: pixels from the centre over the focal length. */
  readonly slopes: Float32Array
  /** [N x K]: trust in them. */
  readonly slopeTrust: Float32Array
  /** [N x K x 3] metres, and trust [N x K]. */
  readonly points: Float32Array
  readonly pointTrust: Float32Array
  /** [N]: about how far away the body is, metres. */
  readonly distances: Float32Array
  /** Hypotheses, H; each has N / H frames. */
  readonly hypotheses: number
  /** Frames a second. */
  readonly fps: number
  readonly widths: Widths
}

/** What is fitted. */
export interface FitParameters {
  /** [N, 3 K]: rotation vectors; the first on top of `turns`. */
  readonly pose: Tensor
  /** [N, 3], metres in the camera's axes. */
  readonly place: Tensor
  /** [1, S] */
  readonly shape: Tensor
}

const limitWeight = 40
// Nothing is nearer to the camera, metres.
const nearest = 0.2
// Beyond so many widths a point counts as an outlier.
const outlier = 4

type ConstantName =
  | 'parents'
  | 'rest'
  | 'directions'
  | 'turns'
  | 'slopes'
  | 'seen'
  | 'points'
  | 'trusted'
  | 'shares'
  | 'relaxed'
  | 'stiffness'
  | 'low'
  | 'high'
  | 'ownSteadiness'
  | 'wholeSteadiness'

/** The loss of a fit, its constants on a runtime. */
export class FitLoss implements Disposable {
  readonly #constants: Readonly<Record<ConstantName, Tensor>> & { readonly bends?: Tensor }
  readonly #frames: number
  readonly #hasPoints: boolean

  constructor(
    runtime: Runtime,
    private readonly figure: Figure,
    private readonly data: LossData,
  ) {
    const { names, rest, directions, shapes, parents, relaxed, stiffness, low, high } = figure
    const [rows, nodes] = [data.distances.length, names.length]
    this.#frames = rows / data.hypotheses
    this.#hasPoints = data.pointTrust.some(trust => trust > 0)
    const tensor = (values: Float32Array | Int32Array, shape: number[]) =>
      Tensor.from(runtime, values, shape, values instanceof Int32Array ? 'i32' : 'f32')
    const seen = data.slopeTrust.map(
      (trust, i) => (trust * data.distances[Math.floor(i / nodes)]) / data.widths.picture,
    )
    const trusted = data.pointTrust.map(trust => trust / data.widths.space)
    const shares = data.pointTrust.map((trust, i) => {
      const row = data.pointTrust.subarray(i - (i % nodes), i - (i % nodes) + nodes)
      return trust / (row.reduce((a, b) => a + b, 0) || 1)
    })
    this.#constants = {
      parents: tensor(parents, [nodes]),
      rest: tensor(rest, [1, 3 * nodes]),
      directions: tensor(directions, [shapes, 3 * nodes]),
      turns: tensor(data.turns, [rows, 3, 3]),
      slopes: tensor(data.slopes, [rows, nodes, 2]),
      seen: tensor(seen, [rows, nodes, 1]),
      points: tensor(data.points, [rows, nodes, 3]),
      trusted: tensor(trusted, [rows, nodes, 1]),
      shares: tensor(shares, [rows, nodes, 1]),
      relaxed: tensor(relaxed, [1, 3 * nodes]),
      stiffness: tensor(stiffness.map(Math.sqrt), [1, 3 * nodes]),
      low: tensor(low, [1, 3 * nodes]),
      high: tensor(high, [1, 3 * nodes]),
      ownSteadiness: tensor(
        Float32Array.from({ length: 3 * nodes }, (_, i) => 1 / data.widths.bends[Math.floor(i / 3)]),
        [1, 3 * nodes],
      ),
      wholeSteadiness: tensor(new Float32Array(3).fill(Math.sqrt(nodes) / data.widths.whole), [1, 3]),
      ...(this.#frames > 2 && { bends: tensor(this.#bends(), [(this.#frames - 2) * data.hypotheses, rows]) }),
    }
  }

  /** Second differences over time, [H (T - 2) x N]. */
  #bends(): Float32Array {
    const { hypotheses } = this.data
    const frames = this.#frames
    const lines = frames - 2
    const out = new Float32Array(hypotheses * lines * hypotheses * frames)
    for (let line = 0; line < hypotheses * lines; line++) {
      const first = Math.floor(line / lines) * frames + (line % lines)
      out.set([1, -2, 1], line * hypotheses * frames + first)
    }
    return out
  }

  /** Where the nodes are, [N,K,3], metres in the camera's axes. Can be differentiated. */
  nodes({ pose, place, shape }: FitParameters): Tensor {
    const { rest, directions, parents, turns } = this.#constants
    const nodes = this.figure.names.length
    return scope(() => {
      const [rows] = pose.shape
      const shaped = matmul(shape, directions, { residual: rest }).reshape([1, nodes, 3])
      const rotations = matricesOfAxisAngle(pose.reshape([rows, nodes, 3])) // [N,K,3,3]
      const { positions } = kinematics(rotations, shaped, parents) // [N,K,3]
      return add(matmul(positions, turns), place.reshape([rows, 1, 3]))
    })
  }

  /** The loss, a single number, and of each frame what is apart from where it was seen and how odd its pose is, [N]. */
  of(parameters: FitParameters): { loss: Tensor; apart: Tensor; odd: Tensor } {
    const { slopes, seen, bends } = this.#constants
    return scope(() => {
      const nodes = this.nodes(parameters)
      const depth = clamp(slice(nodes, 2, 2, 3), nearest, 1e6)
      const apart = mul(sub(div(slice(nodes, 2, 0, 2), depth), slopes), seen) // [N,K,2]
      const inPicture = robust(apart)
      const frames = this.#hasPoints ? add(inPicture, this.#inSpace(nodes)) : inPicture
      const odd = this.#oddness(parameters.pose)
      // People differ by their shape once, not in every frame; but many frames say no more of it than a few.
      const strange = affine(sum(square(parameters.shape)), Math.min(8, this.#frames), 0)
      const terms = [sum(add(frames, odd)), strange]
      if (bends) terms.push(this.#unsteadiness(nodes, bends))
      return { loss: terms.reduce((a, b) => add(a, b)).reshape([1]), apart: frames, odd }
    })
  }

  /** How far points are from where they were seen in space, [N]; the whole may be anywhere. */
  #inSpace(nodes: Tensor): Tensor {
    const { points, trusted, shares } = this.#constants
    const apart = sub(nodes, points)
    const middle = sum(mul(apart, shares), { axes: [1], keepDims: true }) // [N,1,3]
    return robust(mul(sub(apart, middle), trusted))
  }

  /** How suddenly nodes move against the middle of the body, and that itself, which counts once for each of them. */
  #unsteadiness(nodes: Tensor, bends: Tensor): Tensor {
    const { ownSteadiness, wholeSteadiness } = this.#constants
    const [rows, count] = nodes.shape
    const middle = affine(sum(nodes, { axes: [1], keepDims: true }), 1 / count, 0) // [N,1,3]
    const own = matmul(bends, sub(nodes, middle).reshape([rows, 3 * count])) // [H (T - 2),3 K]
    const whole = matmul(bends, middle.reshape([rows, 3])) // [H (T - 2),3]
    return add(sum(square(mul(own, ownSteadiness))), sum(square(mul(whole, wholeSteadiness))))
  }

  /** Poses beyond limits, and away from ease, [N]. */
  #oddness(pose: Tensor): Tensor {
    const { relaxed, stiffness, low, high } = this.#constants
    const beyond = limitPenalty(pose, { low, high })
    const tense = sum(square(mul(sub(pose, relaxed), stiffness)), { axes: [1] })
    return add(affine(beyond, limitWeight, 0), tense)
  }

  dispose(): void {
    for (const tensor of Object.values(this.#constants)) tensor.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Squares of distances [N,K,D] in usual widths, level for outliers (Geman and McClure), added up: [N]. */
function robust(apart: Tensor): Tensor {
  const squares = sum(square(apart), { axes: [2] }) // [N,K]
  return sum(div(squares, affine(squares, 1 / outlier ** 2, 1)), { axes: [1] })
}
