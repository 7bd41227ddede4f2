// Softmax, or its logarithm (LOG), along every line: maximum, sum, result.
//
// Variants:
//   plain   one invocation per line. Lines side by side are read together where inner > 1, and a CPU wants no barriers.
//   SHARED  the invocations of a workgroup share a line: for contiguous lines on a GPU, or a few long ones anywhere.

#include "common/nan.wgsl"
#include "reduce/line.wgsl"

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

// Stands for minus infinity, which WGSL cannot write.
const lowest = -3.4028234e38;

fn visit(line: u32, lane: u32) {
  let first = first_of(line);
  var most = lowest;
  for (var n = lane; n < params.length; n += LANES) { most = max(most, x_1(params.x_base + first + n * params.inner)); }
  most = fold_max(most, lane);

  // NaN spoils its line, also where a driver's exp and log answer it with a number.
  var total = 0.0;
  for (var n = lane; n < params.length; n += LANES) {
    let below = x_1(params.x_base + first + n * params.inner) - most;
    total += select(exp(below), below, is_nan(below));
  }
  total = fold_sum(total, lane);
#if LOG
  // So does a line of nothing but minus infinity, whose sum is zero.
  let spoilt = is_nan(total) || total == 0.0;
  let logarithm = select(log(total), total / total, spoilt);
#endif

  for (var n = lane; n < params.length; n += LANES) {
    let i = first + n * params.inner;
    let below = x_1(params.x_base + i) - most;
#if LOG
    out[params.out_base + i] = below - logarithm;
#else
    out[params.out_base + i] = exp(below) / total;
#endif
  }
}
