// How fast a thread multiplies and adds: ten independent chains in registers, no memory in the loop.

import { madd } from '../../kernels/common/gemm.as'

@unmanaged
class FmaParams {
  factors: usize // [2, 4]
  out: usize // [units, 4]
  steps: u32
}

/** A unit is a run of the chains. */
export function fmaCeiling(params: FmaParams, from: u32, to: u32, _scratch: usize): void {
  const a = v128.load(params.factors)
  const b = v128.load(params.factors, 16)
  const steps = params.steps
  for (let unit = from; unit < to; unit++) {
    let c0 = f32x4.splat(<f32>unit)
    let c1 = f32x4.add(c0, b)
    let c2 = f32x4.add(c1, b)
    let c3 = f32x4.add(c2, b)
    let c4 = f32x4.add(c3, b)
    let c5 = f32x4.add(c4, b)
    let c6 = f32x4.add(c5, b)
    let c7 = f32x4.add(c6, b)
    let c8 = f32x4.add(c7, b)
    let c9 = f32x4.add(c8, b)
    for (let step: u32 = 0; step < steps; step++) {
      c0 = madd(c0, a, b)
      c1 = madd(c1, a, b)
      c2 = madd(c2, a, b)
      c3 = madd(c3, a, b)
      c4 = madd(c4, a, b)
      c5 = madd(c5, a, b)
      c6 = madd(c6, a, b)
      c7 = madd(c7, a, b)
      c8 = madd(c8, a, b)
      c9 = madd(c9, a, b)
    }
    const low = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), c4)
    const high = f32x4.add(f32x4.add(f32x4.add(c5, c6), f32x4.add(c7, c8)), c9)
    v128.store(params.out + ((<usize>unit) << 4), f32x4.add(low, high))
  }
}
