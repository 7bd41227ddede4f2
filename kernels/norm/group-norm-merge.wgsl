// Group norm, second pass: a workgroup merges the moments of all channels and slices of a group by Chan's formula
// (Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm for computing sample variances, 1979).

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=first INDEX=1 FORMAT=X_FORMAT

#param WORKGROUP 64

struct Params {
  batch: u32,        // in these windows
  rows: u32,         // of a batch
  slices: u32,       // of a batch
  slice_rows: u32,   // of all slices but perhaps the last
  channels: u32,
  depth: u32,        // channels of a group
  first_base: u32,
  first_stride: u32, // elements of a batch
  eps: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
// Per batch and group: the value that moments are relative to, the mean less that value, 1 / sqrt(variance + eps).
@group(0) @binding(3) var<storage, read_write> statistics: array<vec4<f32>>;

struct Moments {
  count: f32,
  mean: f32,
  m2: f32,
}

fn merge(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  let distance = b.mean - a.mean;
  let share = b.count / max(count, 1.0);
  return Moments(count, a.mean + distance * share, a.m2 + b.m2 + distance * distance * a.count * share);
}

var<workgroup> parts: array<Moments, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let group_count = params.channels / params.depth;
  let index = workgroup_index(group, groups);
  if (index >= params.batch * group_count) { return; }
  let batch = index / group_count;
  let channel_0 = index % group_count * params.depth;

  var total = Moments(0.0, 0.0, 0.0);
  for (var j = local; j < params.slices * params.depth; j += WORKGROUP) {
    let slice = j / params.depth;
    let at = (batch * params.slices + slice) * 2u * params.channels + channel_0 + j % params.depth;
    let count = min(params.slice_rows, params.rows - slice * params.slice_rows);
    total = merge(total, Moments(f32(count), moments[at], moments[at + params.channels]));
  }
  parts[local] = total;
  for (var half = u32(WORKGROUP) / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { parts[local] = merge(parts[local], parts[local + half]); }
  }
  if (local == 0u) {
    let shift = first_1(params.first_base + batch * params.first_stride + channel_0);
    let variance = parts[0].m2 / parts[0].count;
    statistics[index] = vec4(shift, parts[0].mean, 1.0 / sqrt(variance + params.eps), 0.0);
  }
}
