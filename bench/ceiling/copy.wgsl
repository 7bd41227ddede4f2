// How fast a shader moves memory: every invocation copies a few vec4, neighbours beside each other.
#include "common/grid.wgsl"

#param WORKGROUP 64
#param EACH 1

struct Params {
  count: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let first = workgroup_index(group, groups) * WORKGROUP * EACH + local;
  for (var n = 0u; n < EACH; n++) {
    let i = first + n * WORKGROUP;
    if (i < params.count) { out[i] = source[i]; }
  }
}
