// The place of the largest (or smallest) element along the middle axis of [outer, length, inner], a line per
// invocation: the first of equals, or the first NaN.

#include "common/grid.wgsl"
#include "common/nan.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT

#param WORKGROUP 64

struct Params {
  lines: u32, // outer x inner, in these windows
  length: u32,
  inner: u32,
  sign: f32,  // 1 for the largest, -1 for the smallest
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> out: array<i32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let line = workgroup_index(group, groups) * WORKGROUP + local;
  if (line >= params.lines) { return; }
  let first = params.x_base + line / params.inner * params.length * params.inner + line % params.inner;

  var best = params.sign * x_1(first);
  var place = 0u;
  for (var n = 1u; n < params.length && !is_nan(best); n++) {
    let value = params.sign * x_1(first + n * params.inner);
    if (value > best || is_nan(value)) {
      best = value;
      place = n;
    }
  }
  out[params.out_base + line] = i32(place);
}
