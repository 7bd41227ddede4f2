// sum = shares[0] sum + shares[1] x, EACH times four elements per invocation. A share of 0 forgets the sum, NaN or not.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT

#param WORKGROUP 64
#param EACH 1

struct Params {
  groups: u32,
  x_base: u32,
  sum_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> shares: array<f32>;
@group(0) @binding(3) var<storage, read_write> sum: array<vec4<f32>>;

fn add(group: u32) {
  let at = params.sum_base / 4u + group;
  let kept = select(shares[0] * sum[at], vec4(0.0), shares[0] == 0.0);
  sum[at] = kept + shares[1] * x_4(params.x_base + 4u * group);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let first = workgroup_index(workgroup, workgroups) * (WORKGROUP * EACH) + local;
  // Memory is padded to whole groups, so the last one needs no care.
#for n in EACH
  let group_$n = first + $n * WORKGROUP;
  if (group_$n < params.groups) { add(group_$n); }
#end
}
