// Four lanes made one, and lanes left out.

/** The sum of the four lanes. */
export function sumAcross(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1))
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
}

/** The first `count` lanes of x, at most four, then those of `others`. */
export function firstLanes(x: v128, count: u32, others: v128): v128 {
  const kept = i32x4.gt_u(i32x4.splat(count), i32x4(0, 1, 2, 3))
  return v128.bitselect(x, others, kept)
}
