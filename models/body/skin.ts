// A body on the host, for who needs many poses of a few bodies and no gradients: joints and skin in plain loops over
// what each vertex clings to.

import { UsageError } from '../../tensor/index.js'
import type { BodyData } from './body-data.js'
import { poseJoints } from './kinematics.js'
import { fromAxisAngle, rotate, toMatrix, vectorAt } from './quaternion.js'

/** What holds vertices, without the zeros: vertex v is held by entries starts[v]..starts[v + 1]. */
interface Holds {
  readonly starts: Uint32Array
  readonly joints: Uint8Array
  readonly weights: Float32Array
}

const known = new WeakMap<BodyData, Holds>()

function holdsOf(data: BodyData): Holds {
  const found = known.get(data)
  if (found) return found
  const count = data.parents.length
  const vertices = data.template.length / 3
  const entries: { joint: number; weight: number }[] = []
  const starts = new Uint32Array(vertices + 1)
  for (let vertex = 0; vertex < vertices; vertex++) {
    for (let joint = 0; joint < count; joint++) {
      const weight = data.weights[vertex * count + joint]
      if (weight > 0) entries.push({ joint, weight })
    }
    starts[vertex + 1] = entries.length
  }
  const joints = Uint8Array.from(entries, ({ joint }) => joint)
  const weights = Float32Array.from(entries, ({ weight }) => weight)
  const holds = { starts, joints, weights }
  known.set(data, holds)
  return holds
}

/** Values moved by directions [N x S], for coefficients [S or fewer]. */
function shaped(values: Float32Array, directions: Float32Array, coefficients: ArrayLike<number>, size: number) {
  const out = Float32Array.from(values)
  for (let i = 0; i < out.length; i++)
    for (let s = 0; s < coefficients.length; s++) out[i] += directions[i * size + s] * coefficients[s]
  return out
}

/** A body of one shape, posed on the host. */
export class Skin {
  /** [V x 3] and [J x 3] at rest, metres. */
  readonly template: Float32Array
  readonly joints: Float32Array
  /** [V x 3]: the vertices of the last pose; the next one writes over them. */
  readonly vertices: Float32Array

  /**
   * `shape`: coefficients, as many as the body has or fewer.
   * @throws UsageError for a body whose skin depends on the pose beyond its joints, or too many coefficients
   */
  constructor(
    readonly data: BodyData,
    shape: ArrayLike<number> = [],
  ) {
    const size = data.shapes + data.expressions
    if (data.poseDirections || shape.length > size)
      throw new UsageError({
        where: 'Skin',
        what: 'does not fit the body',
        expected: `at most ${size} coefficients, and no pose directions`,
        got: `${shape.length} coefficients${data.poseDirections ? ', and pose directions' : ''}`,
      })
    this.template = shaped(data.template, data.directions, shape, size)
    this.joints = shaped(data.joints, data.jointDirections, shape, size)
    this.vertices = new Float32Array(data.template.length)
  }

  /** How high the first joint stands over the lowest at rest, metres. */
  get standing(): number {
    let lowest = Infinity
    for (let i = 1; i < this.joints.length; i += 3) lowest = Math.min(lowest, this.joints[i])
    return this.joints[1] - lowest
  }

  /** Where joints are, [J x 3], for a pose of 3 J numbers and then the place of the body, 3. */
  pose(numbers: ArrayLike<number>): PosedSkin {
    const { parents } = this.data
    const turns = Array.from(parents).flatMap((_, joint) => fromAxisAngle(vectorAt(numbers, joint)))
    const place = vectorAt(numbers, parents.length)
    return poseJoints({ parents: Array.from(parents), rest: this.joints }, turns, place)
  }

  /** Moves `vertices` to a pose of joints. */
  follow({ positions, rotations }: PosedSkin): Float32Array {
    const affines = new Float32Array(12 * rotations.length)
    rotations.forEach((turn, joint) => {
      const matrix = toMatrix(turn)
      const moved = rotate(turn, vectorAt(this.joints, joint))
      for (let row = 0; row < 3; row++) {
        for (let column = 0; column < 3; column++) affines[12 * joint + 4 * row + column] = matrix[3 * row + column]
        affines[12 * joint + 4 * row + 3] = positions[3 * joint + row] - moved[row]
      }
    })
    const { template, vertices } = this
    const { starts, joints, weights } = holdsOf(this.data)
    for (let vertex = 0; vertex < vertices.length / 3; vertex++) {
      const at = 3 * vertex
      const x = template[at]
      const y = template[at + 1]
      const z = template[at + 2]
      let a = 0
      let b = 0
      let c = 0
      for (let i = starts[vertex]; i < starts[vertex + 1]; i++) {
        const m = 12 * joints[i]
        const w = weights[i]
        a += w * (affines[m] * x + affines[m + 1] * y + affines[m + 2] * z + affines[m + 3])
        b += w * (affines[m + 4] * x + affines[m + 5] * y + affines[m + 6] * z + affines[m + 7])
        c += w * (affines[m + 8] * x + affines[m + 9] * y + affines[m + 10] * z + affines[m + 11])
      }
      vertices[at] = a
      vertices[at + 1] = b
      vertices[at + 2] = c
    }
    return vertices
  }
}

type PosedSkin = ReturnType<typeof poseJoints>
