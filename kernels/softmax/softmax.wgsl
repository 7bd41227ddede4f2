// Softmax, or its logarithm, along the middle axis of [outer, length, inner]: maximum, sum, result.
//
// Variants:
//   plain   one invocation per line. Lines side by side are read together where inner > 1, and a CPU wants no barriers.
//   SHARED  the invocations of a workgroup share a line: for contiguous lines on a GPU, or a few long ones anywhere.

#include "common/grid.wgsl"
#include "common/nan.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT

#param WORKGROUP 64

struct Params {
  lines: u32, // outer x inner, in these windows
  length: u32,
  inner: u32,
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

#if SHARED
var<workgroup> shared_values: array<f32, WORKGROUP>;

// Folds the lanes' values into lane 0's, and gives that to all.
fn fold_max(value: f32, lane: u32) -> f32 {
  shared_values[lane] = value;
  for (var half = u32(WORKGROUP) / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shared_values[lane] = max(shared_values[lane], shared_values[lane + half]); }
  }
  return workgroupUniformLoad(&shared_values[0]);
}
fn fold_sum(value: f32, lane: u32) -> f32 {
  shared_values[lane] = value;
  for (var half = u32(WORKGROUP) / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shared_values[lane] += shared_values[lane + half]; }
  }
  return workgroupUniformLoad(&shared_values[0]);
}
#else
fn fold_max(value: f32, lane: u32) -> f32 { return value; }
fn fold_sum(value: f32, lane: u32) -> f32 { return value; }
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
#if SHARED
  let line = workgroup_index(group, groups);
  let lane = local;
  let lanes = u32(WORKGROUP);
#else
  let line = workgroup_index(group, groups) * WORKGROUP + local;
  let lane = 0u;
  let lanes = 1u;
#endif
  if (line >= params.lines) { return; }
  let first = line / params.inner * params.length * params.inner + line % params.inner;

  var most = -3.4028234e38;
  for (var n = lane; n < params.length; n += lanes) { most = max(most, x_1(params.x_base + first + n * params.inner)); }
  most = fold_max(most, lane);

  // NaN spoils its line, also where a driver's exp and log answer it with a number.
  var total = 0.0;
  for (var n = lane; n < params.length; n += lanes) {
    let below = x_1(params.x_base + first + n * params.inner) - most;
    total += select(exp(below), below, is_nan(below));
  }
  total = fold_sum(total, lane);

  for (var n = lane; n < params.length; n += lanes) {
    let i = first + n * params.inner;
    let below = x_1(params.x_base + i) - most;
#if LOG
    out[params.out_base + i] = below - select(log(total), total, is_nan(total));
#else
    out[params.out_base + i] = exp(below) / total;
#endif
  }
}
