// Forward kinematics and its gradient, a body at a time. Matrices are 3x3 by rows; there is too little in each for
// vectors.

import { floatAt } from '../common/operand.as'

@unmanaged
class KinematicsParams {
  rotations: usize
  rest: usize
  parents: usize
  turned: usize
  positions: usize
  joints: u32
  restStride: u32 // in elements; 0 where all bodies share them
}

/** A unit is a body. */
export function kinematics(p: KinematicsParams, from: u32, to: u32, _scratch: usize): void {
  for (let n = from; n < to; n++) {
    const rotations = floatAt(p.rotations, 9 * n * p.joints)
    const turned = floatAt(p.turned, 9 * n * p.joints)
    const positions = floatAt(p.positions, 3 * n * p.joints)
    const rest = floatAt(p.rest, n * p.restStride)
    memory.copy(turned, rotations, 36)
    memory.copy(positions, rest, 12)
    for (let joint: u32 = 1; joint < p.joints; joint++) {
      const parent = parentOf(p.parents, joint)
      const above = floatAt(turned, 9 * parent)
      const own = floatAt(rotations, 9 * joint)
      const result = floatAt(turned, 9 * joint)
      for (let r: u32 = 0; r < 3; r++) {
        const a = get(above, 3 * r)
        const b = get(above, 3 * r + 1)
        const c = get(above, 3 * r + 2)
        for (let k: u32 = 0; k < 3; k++)
          set(result, 3 * r + k, a * get(own, k) + b * get(own, k + 3) + c * get(own, k + 6))
        const moved =
          a * offset(rest, joint, parent, 0) + b * offset(rest, joint, parent, 1) + c * offset(rest, joint, parent, 2)
        set(positions, 3 * joint + r, get(positions, 3 * parent + r) + moved)
      }
    }
  }
}

@unmanaged
class KinematicsGradientParams {
  rotations: usize
  rest: usize
  parents: usize
  turned: usize
  upTurned: usize
  upPositions: usize
  ofRotations: usize
  ofRest: usize
  joints: u32
  restStride: u32
}

/**
 * A unit is a body, from the ends of the limbs to the root. Until a joint is reached, its place in ofRotations and in
 * the scratch space (12 bytes a joint) gathers what comes from its children.
 */
export function kinematicsGradient(p: KinematicsGradientParams, from: u32, to: u32, scratch: usize): void {
  for (let n = from; n < to; n++) {
    const first = n * p.joints
    const rotations = floatAt(p.rotations, 9 * first)
    const rest = floatAt(p.rest, n * p.restStride)
    const turned = floatAt(p.turned, 9 * first)
    const turns = floatAt(p.ofRotations, 9 * first)
    const rests = floatAt(p.ofRest, 3 * first)
    memory.copy(turns, floatAt(p.upTurned, 9 * first), 36 * <usize>p.joints)
    memory.copy(scratch, floatAt(p.upPositions, 3 * first), 12 * <usize>p.joints)
    memory.fill(rests, 0, 12 * <usize>p.joints)
    for (let joint = p.joints - 1; joint > 0; joint--) {
      const parent = parentOf(p.parents, joint)
      const above = floatAt(turned, 9 * parent)
      const own = floatAt(rotations, 9 * joint)
      const at = floatAt(turns, 9 * joint)
      const higher = floatAt(turns, 9 * parent)
      const sum = floatAt(scratch, 3 * joint)
      for (let r: u32 = 0; r < 3; r++) {
        const along = get(above, r) * get(sum, 0) + get(above, r + 3) * get(sum, 1) + get(above, r + 6) * get(sum, 2)
        set(rests, 3 * joint + r, get(rests, 3 * joint + r) + along)
        set(rests, 3 * parent + r, get(rests, 3 * parent + r) - along)
        set(scratch, 3 * parent + r, get(scratch, 3 * parent + r) + get(sum, r))
        for (let c: u32 = 0; c < 3; c++) {
          let up = get(higher, 3 * r + c) + get(sum, r) * offset(rest, joint, parent, c)
          for (let k: u32 = 0; k < 3; k++) up += get(at, 3 * r + k) * get(own, 3 * c + k)
          set(higher, 3 * r + c, up)
        }
      }
      for (let c: u32 = 0; c < 3; c++) {
        const x = get(at, c)
        const y = get(at, c + 3)
        const z = get(at, c + 6)
        for (let r: u32 = 0; r < 3; r++)
          set(at, 3 * r + c, get(above, r) * x + get(above, r + 3) * y + get(above, r + 6) * z)
      }
    }
    for (let r: u32 = 0; r < 3; r++) set(rests, r, get(rests, r) + get(scratch, r))
  }
}

/** A parent that comes before its child, even where the operand says otherwise. */
function parentOf(parents: usize, joint: u32): u32 {
  return <u32>max(0, min(load<i32>(floatAt(parents, joint)), <i32>joint - 1))
}

/** How far a joint is from its parent at rest, along an axis. */
function offset(rest: usize, joint: u32, parent: u32, axis: u32): f32 {
  return get(rest, 3 * joint + axis) - get(rest, 3 * parent + axis)
}

function get(base: usize, index: u32): f32 {
  return load<f32>(floatAt(base, index))
}

function set(base: usize, index: u32, value: f32): void {
  store<f32>(floatAt(base, index), value)
}
