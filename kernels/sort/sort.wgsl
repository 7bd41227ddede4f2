// One pass of a merge sort along the middle axis of [outer, length, inner]. Each invocation takes an element and finds
// its place: no invocation waits for another, equal elements stay in their order, and lines may be of any length.
//
// Variants:
//   block (no MERGE)  sorts stretches of BLOCK elements: an element's place is how many come before it
//   MERGE             merges neighbouring sorted runs: an element's place is where it stands in its own run, and how
//                     many of the other run come before it, which a binary search tells

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT

#param BLOCK 64
#param WORKGROUP 64

struct Params {
  elements: u32, // in these windows
  length: u32,
  inner: u32,
  run: u32,      // length of the sorted runs
  flip: u32,     // all ones to turn the order around
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<i32>;
#if MERGE
// Where the elements of x were before the first pass; its window begins as that of x does.
@group(0) @binding(4) var<storage, read> origins: array<i32>;
#endif

// Whole numbers in the order of the elements: -0 like 0, NaN after all else.
fn key(element: u32) -> u32 {
  let bits = bitcast<u32>(x_1(params.x_base + element));
  let magnitude = bits & 0x7fffffffu;
  let number = select(0x80000000u + magnitude, 0x80000000u - magnitude, bits > 0x7fffffffu);
  return select(number, 0xffffffffu, magnitude > 0x7f800000u) ^ params.flip;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let element = workgroup_index(group, groups) * WORKGROUP + local;
  if (element >= params.elements) { return; }
  let n = element / params.inner % params.length;
  let line = element - n * params.inner;
  let own = key(element);

#if MERGE
  let pair = n - n % (2u * params.run);
  let middle = min(pair + params.run, params.length);
  let end = min(middle + params.run, params.length);
  let left = n < middle;
  // The first element of the other run that does not come before this one.
  var other = select(pair, middle, left);
  var limit = select(middle, end, left);
  while (other < limit) {
    let half = (other + limit) / 2u;
    let there = key(line + half * params.inner);
    if (there < own || (there == own && !left)) { other = half + 1u; } else { limit = half; }
  }
  let place = n + other - middle;
  let origin = origins[params.x_base + element];
#else
  let first = n - n % BLOCK;
  var place = first;
  for (var m = first; m < min(first + BLOCK, params.length); m++) {
    let there = key(line + m * params.inner);
    if (there < own || (there == own && m < n)) { place++; }
  }
  let origin = i32(n);
#endif
  let to = params.out_base + line + place * params.inner;
  values[to] = x_1(params.x_base + element);
  indices[to] = origin;
}
