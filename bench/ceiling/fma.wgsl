// How fast the adapter multiplies and adds: sixteen independent chains in registers, no memory in the loop.
#include "common/grid.wgsl"

#param WORKGROUP 64

struct Params {
  count: u32, // invocations
  steps: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> factors: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP + local;
  if (i >= params.count) { return; }
  let a = factors[0];
  let b = factors[1];
  var w = vec4(f32(i));
  var x = w + 1.0;
  var y = w + 2.0;
  var z = w + 3.0;
  for (var step = 0u; step < params.steps; step++) {
    w = w * a + b;
    x = x * a + b;
    y = y * a + b;
    z = z * a + b;
    w = w * a + b;
    x = x * a + b;
    y = y * a + b;
    z = z * a + b;
    w = w * a + b;
    x = x * a + b;
    y = y * a + b;
    z = z * a + b;
    w = w * a + b;
    x = x * a + b;
    y = y * a + b;
    z = z * a + b;
  }
  out[i] = w + x + y + z;
}
