// Layer norm, a row per LANES invocations: mean, then the mean of squared deviations, then the result. Values are taken
// relative to the first of their row, so that a large common part does not cost them their digits.
//
// Variants:
//   LANES 1   a row per invocation, no barrier: many rows on a CPU.
//   LANES 16  neighbours read neighbouring elements and share their sums: GPUs, and few long rows anywhere.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/operand.wgsl" NAME=weight INDEX=2 FORMAT=WEIGHT_FORMAT
#include "common/operand.wgsl" NAME=bias INDEX=3 FORMAT=BIAS_FORMAT
#include "common/strip.wgsl" NAME=x
#include "common/strip.wgsl" NAME=weight
#include "common/strip.wgsl" NAME=bias
#include "common/strip-out.wgsl" NAME=out INDEX=4

#param WIDTH 1
#param LANES 16
#param WORKGROUP 64

struct Params {
  rows: u32, // in these windows
  channels: u32,
  eps: f32,
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

fn sum_of(v: vec4<f32>) -> f32 {
  if (WIDTH == 4) { return v.x + v.y + v.z + v.w; }
  return v.x;
}

#if LANES == 1
fn fold(value: f32, local: u32) -> f32 { return value; }
#else
var<workgroup> parts: array<f32, WORKGROUP>;

// The sum over the lanes of a row.
fn fold(value: f32, local: u32) -> f32 {
  workgroupBarrier(); // the sum before has been read
  parts[local] = value;
  for (var half = u32(LANES) / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local % LANES < half) { parts[local] += parts[local + half]; }
  }
  workgroupBarrier();
  return parts[local / LANES * LANES];
}
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  // Lanes beyond the last row repeat it, for the barriers' sake, and store nothing.
  let index = (workgroup_index(group, groups) * WORKGROUP + local) / LANES;
  let row = min(index, params.rows - 1u);
  let start = params.x_base + row * params.channels;
  let lane = local % LANES * WIDTH;
  let shift = x_1(start);

  var total = vec4(0.0);
  for (var c = lane; c < params.channels; c += LANES * WIDTH) { total += x_strip(start + c) - shift; }
  let mean = fold(sum_of(total), local) / f32(params.channels);

  var squares = vec4(0.0);
  for (var c = lane; c < params.channels; c += LANES * WIDTH) {
    let deviation = x_strip(start + c) - shift - mean;
    squares += deviation * deviation;
  }
  let scale = 1.0 / sqrt(fold(sum_of(squares), local) / f32(params.channels) + params.eps);

  if (index >= params.rows) { return; }
  for (var c = lane; c < params.channels; c += LANES * WIDTH) {
    let centred = x_strip(start + c) - shift - mean;
    store_out(params.out_base + row * params.channels + c, centred * scale * weight_strip(c) + bias_strip(c));
  }
}
