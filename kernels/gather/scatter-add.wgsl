// out[o, r, i] = the sum of x[o, n, i] over all n with index[o, n, i] = r. Four neighbouring r per invocation, which
// looks at every index of its line: nothing is written twice, so the sums need no atomics and always come out the same.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT

#param WORKGROUP 64

struct Params {
  slabs: u32, // o, in these windows
  items: u32, // n, in this window of x
  inner: u32, // i
  row_0: u32, // first r in this window of the output
  rows: u32,  // and how many
  x_base: u32,
  index_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let fours = (params.rows + 3u) / 4u;
  let place = workgroup_index(group, groups) * WORKGROUP + local;
  let slab = place / params.inner / fours;
  if (slab >= params.slabs) { return; }
  let i = place % params.inner;
  let row = place / params.inner % fours * 4u;
  let count = min(4u, params.rows - row);
  let start = params.out_base + (slab * params.rows + row) * params.inner + i;

  var sums = vec4(0.0);
#if ACCUMULATE
  for (var j = 0u; j < count; j++) { sums[j] = out[start + j * params.inner]; }
#endif
  for (var n = 0u; n < params.items; n++) {
    let at = (slab * params.items + n) * params.inner + i;
    let j = u32(index[params.index_base + at]) - params.row_0 - row; // those before the four become large
    if (j < 4u) { sums[j] += x_1(params.x_base + at); }
  }
  for (var j = 0u; j < count; j++) { out[start + j * params.inner] = sums[j]; }
}
