// Bodies on a device: shape, pose and place become vertices and joints, by linear blend skinning.
// After vchoutas/smplx: smplx/lbs.py. Differs: numbers of vertices are kept as planes [3, V], so that every product is
// one with a matrix of two axes, and joints follow the shape by directions of their own.

import { add, cat, kinematics, matmul, mul, permute, slice, sub, sum } from '../../kernels/index.js'
import { keep, scope, ShapeError, showShape, Tensor, type Runtime } from '../../tensor/index.js'
import type { BodyData } from './body-data.js'
import { matricesOfAxisAngle } from './rotations.js'

/** What a body is given: B poses of one shape, or of as many. What is left out is zero. */
export interface BodyInput {
  /** [B, 3 J]: rotation vectors against the parent, radians; the first is that of the whole body. */
  readonly pose: Tensor
  /** [B or 1, S] */
  readonly shape?: Tensor
  /** [B or 1, E] */
  readonly expression?: Tensor
  /** [B, 3], metres. */
  readonly translation?: Tensor
}

/** Where a body is, metres. */
export interface BodyOutput {
  /** [B, V, 3] */
  readonly vertices: Tensor
  /** [B, J, 3] */
  readonly joints: Tensor
  /** [B or 1, V, 3]: the vertices at rest, before the pose. */
  readonly shaped: Tensor
}

/** A body model in a runtime's memory. Release it with `using` or `dispose()`. */
export class Body implements Disposable {
  /** The tensors that are released with it. */
  readonly #held: Tensor[] = []
  readonly #parents: Tensor
  readonly #template: Tensor // [1, 3 V]
  readonly #joints: Tensor // [1, 3 J]
  readonly #directions: Tensor // [S + E, 3 V]
  readonly #jointDirections: Tensor // [S + E, 3 J]
  readonly #poseDirections: Tensor | undefined // [9 (J - 1), 3 V]
  readonly #identity: Tensor // [1, 9 (J - 1)]
  readonly #weights: Tensor // [J, V]

  constructor(
    readonly runtime: Runtime,
    readonly data: BodyData,
  ) {
    const { parents, template, joints, directions, jointDirections, poseDirections, weights } = data
    const hold = (values: Float32Array | Int32Array, shape: number[], label: string): Tensor => {
      const dtype = values instanceof Int32Array ? 'i32' : 'f32'
      const tensor = keep(Tensor.from(runtime, values, shape, dtype, label))
      this.#held.push(tensor)
      return tensor
    }
    // What is held already goes back if there is no room for all of it.
    try {
      const [count, vertices] = [parents.length, template.length / 3]
      const [coefficients, turns] = [data.shapes + data.expressions, 9 * (count - 1)]
      this.#parents = hold(parents, [count], 'parents')
      this.#template = hold(turned(planes(template, 1), 3 * vertices, 1), [1, 3 * vertices], 'template')
      this.#joints = hold(joints, [1, 3 * count], 'joints')
      const moves = turned(planes(directions, coefficients), 3 * vertices, coefficients)
      this.#directions = hold(moves, [coefficients, 3 * vertices], 'shape directions')
      const jointMoves = turned(jointDirections, 3 * count, coefficients)
      this.#jointDirections = hold(jointMoves, [coefficients, 3 * count], 'joint directions')
      this.#poseDirections =
        poseDirections &&
        hold(turned(planes(poseDirections, turns), 3 * vertices, turns), [turns, 3 * vertices], 'pose directions')
      const identity = Float32Array.from({ length: turns }, (_, i) => Number(i % 9 === 0 || i % 9 === 4 || i % 9 === 8))
      this.#identity = hold(identity, [1, turns], 'identity')
      this.#weights = hold(turned(weights, vertices, count), [count, vertices], 'skin weights')
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  /**
   * Vertices and joints of poses. All of it can be differentiated with respect to the input.
   * @throws ShapeError when an operand does not fit
   */
  forward({ pose, shape, expression, translation }: BodyInput): BodyOutput {
    const count = this.data.parents.length
    const [batch] = pose.shape
    check('pose', pose, batch, 3 * count)
    if (translation) check('translation', translation, batch, 3)
    return scope(() => {
      const coefficients = this.#coefficients(batch, shape, expression)
      const follow = (rest: Tensor, directions: Tensor) =>
        coefficients ? add(matmul(coefficients, directions), rest) : rest.share()
      const shaped = follow(this.#template, this.#directions) // [B or 1, 3 V]
      const rest = follow(this.#joints, this.#jointDirections).reshape([-1, count, 3])
      const rotations = matricesOfAxisAngle(pose.reshape([batch, count, 3])) // [B,J,3,3]
      const posed = this.#posed(shaped, rotations)
      const { turned, positions } = kinematics(rotations, rest, this.#parents)
      const vertices = this.#skinned(posed, turned, sub(positions, rotated(turned, rest)))
      const place = translation?.reshape([batch, 1, 3])
      const placed = (x: Tensor) => (place ? add(x, place) : x)
      const wide = shaped.reshape([shaped.shape[0], 3, -1])
      return { vertices: placed(vertices), joints: placed(positions), shaped: permute(wide, [0, 2, 1]) }
    })
  }

  #coefficients(batch: number, shape: Tensor | undefined, expression: Tensor | undefined): Tensor | undefined {
    const { shapes, expressions } = this.data
    const given = [
      { name: 'shape', tensor: shape, size: shapes },
      { name: 'expression', tensor: expression, size: expressions },
    ]
    for (const { name, tensor, size } of given) if (tensor) check(name, tensor, tensor.shape[0] === 1 ? 1 : batch, size)
    if (!shape && !expression) return undefined
    const rows = Math.max(shape?.shape[0] ?? 1, expression?.shape[0] ?? 1)
    const parts = given.map(({ tensor, size }) => {
      const zeros = Tensor.zeros(this.runtime, [rows, size])
      return tensor && tensor.shape[0] === rows ? tensor : tensor ? add(tensor, zeros) : zeros
    })
    return cat(
      parts.filter((_, i) => given[i].size > 0),
      1,
    )
  }

  /** What the pose does to the vertices before they are turned: [B or 1, 3 V]. */
  #posed(shaped: Tensor, rotations: Tensor): Tensor {
    if (!this.#poseDirections) return shaped
    const [batch, count] = rotations.shape
    const feature = sub(slice(rotations, 1, 1, count).reshape([batch, 9 * (count - 1)]), this.#identity)
    return add(matmul(feature, this.#poseDirections), shaped)
  }

  /** Vertices [B,V,3] of planes [B or 1, 3 V], by the turns [B,J,3,3] and moves [B,J,3] of the joints. */
  #skinned(posed: Tensor, turned: Tensor, moved: Tensor): Tensor {
    const [batch, count] = moved.shape
    const vertices = this.data.template.length / 3
    const affines = cat([turned, moved.reshape([batch, count, 3, 1])], 3) // [B,J,3,4]
    const lines = permute(affines, [0, 2, 3, 1]).reshape([12 * batch, count])
    const blended = matmul(lines, this.#weights).reshape([batch, 3, 4, vertices])
    const points = posed.reshape([posed.shape[0], 1, 3, vertices])
    const turnedPoints = sum(mul(slice(blended, 2, 0, 3), points), { axes: [2] }) // [B,3,V]
    return permute(add(turnedPoints, slice(blended, 2, 3, 4).reshape([batch, 3, vertices])), [0, 2, 1])
  }

  /** Releases its memory. */
  dispose(): void {
    for (const tensor of this.#held) tensor.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function check(name: string, { shape }: Tensor, batch: number, size: number): void {
  if (shape.length !== 2 || shape[0] !== batch || shape[1] !== size)
    throw new ShapeError({
      where: 'body',
      what: `${name} does not fit`,
      expected: showShape([batch, size]),
      got: showShape(shape),
    })
}

/** Vectors [B or 1,J,3], each turned by its matrix [B,J,3,3]: [B,J,3]. */
function rotated(matrices: Tensor, vectors: Tensor): Tensor {
  const [batch, count] = vectors.shape
  return sum(mul(matrices, vectors.reshape([batch, count, 1, 3])), { axes: [-1] })
}

/** [V x 3 x N] as [3 x V x N]. */
function planes(values: Float32Array, size: number): Float32Array {
  const rows = values.length / size
  const vertices = rows / 3
  const out = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) {
    const to = (row % 3) * vertices + Math.floor(row / 3)
    out.set(values.subarray(row * size, (row + 1) * size), to * size)
  }
  return out
}

/** [R x C] as [C x R]. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]
  return out
}
