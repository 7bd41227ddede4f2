// Running sums along the middle axis of [outer, length, inner], a line per invocation.

#include "common/grid.wgsl"
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

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let line = workgroup_index(group, groups) * WORKGROUP + local;
  if (line >= params.lines) { return; }
  let first = line / params.inner * params.length * params.inner + line % params.inner;

  // The sum of stretches before, and of this one so far: long sums lose fewer digits so.
  var before = 0.0;
  var total = 0.0;
  for (var n = 0u; n < params.length; n++) {
    if (n % 256u == 0u) {
      before += total;
      total = 0.0;
    }
    let i = first + n * params.inner;
    total += x_1(params.x_base + i);
    out[params.out_base + i] = before + total;
  }
}
