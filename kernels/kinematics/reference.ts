// Forward kinematics, plain: joint by joint from the root, and back for the gradient.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { kinematicsGradientOp, kinematicsOp } from './kinematics.js'

type Numbers = ArrayLike<number>

/** Element (r, c) of a b; a or b transposed where asked. */
function product(
  a: Numbers,
  b: Numbers,
  at: { a: number; b: number },
  turn: { a?: boolean; b?: boolean } = {},
): number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const [r, c] = [Math.floor(i / 3), i % 3]
    let total = 0
    for (let k = 0; k < 3; k++) {
      const left = a[at.a + (turn.a ? 3 * k + r : 3 * r + k)]
      total += left * b[at.b + (turn.b ? 3 * c + k : 3 * k + c)]
    }
    return total
  })
}

/** A parent that comes before its child, even where the operand says otherwise. */
function parentOf(parent: number, joint: number): number {
  return Math.max(0, Math.min(parent, joint - 1))
}

export const kinematicsReference = referenceKernel(
  kinematicsOp,
  ({ rotations, rest, parents }, [turned, positions]) => {
    const [count, joints] = rotations.shape
    for (let n = 0; n < count; n++) {
      const restAt = rest.shape[0] === 1 ? 0 : n * joints
      for (let joint = 0; joint < joints; joint++) {
        const own = n * joints + joint
        if (joint === 0) {
          for (let i = 0; i < 9; i++) turned.data[9 * own + i] = rotations.data[9 * own + i]
          for (let i = 0; i < 3; i++) positions.data[3 * own + i] = rest.data[3 * restAt + i]
          continue
        }
        const parent = parentOf(parents.data[joint], joint)
        const above = n * joints + parent
        product(turned.data, rotations.data, { a: 9 * above, b: 9 * own }).forEach(
          (value, i) => (turned.data[9 * own + i] = value),
        )
        for (let r = 0; r < 3; r++) {
          let value = positions.data[3 * above + r]
          for (let k = 0; k < 3; k++) {
            const offset = rest.data[3 * (restAt + joint) + k] - rest.data[3 * (restAt + parent) + k]
            value += turned.data[9 * above + 3 * r + k] * offset
          }
          positions.data[3 * own + r] = value
        }
      }
    }
  },
)

export const kinematicsGradientReference = referenceKernel(
  kinematicsGradientOp,
  ({ rotations, rest, parents, turned, upTurned, upPositions }, [ofRotations, ofRest]) => {
    const [count, joints] = rotations.shape
    for (let n = 0; n < count; n++) {
      const restAt = rest.shape[0] === 1 ? 0 : n * joints
      // What reaches a joint through its children, and from outside.
      const ofTurned = Float64Array.from(upTurned.data.slice(9 * n * joints, 9 * (n + 1) * joints))
      const ofPositions = Float64Array.from(upPositions.data.slice(3 * n * joints, 3 * (n + 1) * joints))
      const atRest = new Float64Array(3 * joints)
      for (let joint = joints - 1; joint > 0; joint--) {
        const parent = parentOf(parents.data[joint], joint)
        const [own, above] = [n * joints + joint, n * joints + parent]
        const down = product(turned.data, ofTurned, { a: 9 * above, b: 9 * joint }, { a: true })
        down.forEach((value, i) => (ofRotations.data[9 * own + i] = value))
        const up = product(ofTurned, rotations.data, { a: 9 * joint, b: 9 * own }, { b: true })
        up.forEach((value, i) => (ofTurned[9 * parent + i] += value))
        for (let k = 0; k < 3; k++) {
          const offset = rest.data[3 * (restAt + joint) + k] - rest.data[3 * (restAt + parent) + k]
          let along = 0
          for (let r = 0; r < 3; r++) {
            ofTurned[9 * parent + 3 * r + k] += ofPositions[3 * joint + r] * offset
            along += turned.data[9 * above + 3 * r + k] * ofPositions[3 * joint + r]
          }
          atRest[3 * joint + k] += along
          atRest[3 * parent + k] -= along
        }
        for (let r = 0; r < 3; r++) ofPositions[3 * parent + r] += ofPositions[3 * joint + r]
      }
      for (let i = 0; i < 9; i++) ofRotations.data[9 * n * joints + i] = ofTurned[i]
      for (let i = 0; i < 3; i++) atRest[i] += ofPositions[i]
      ofRest.data.set(atRest, 3 * n * joints)
    }
  },
)
