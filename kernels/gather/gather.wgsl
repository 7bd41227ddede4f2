// out[o, n, i] = x[o, index, i], for the indices whose element lies in this window of x; one outside x gives NaN. EACH
// strips of neighbours per invocation, a workgroup apart; a strip is one element where each has an index of its own.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/strip.wgsl" NAME=x
#include "common/strip-out.wgsl" NAME=out INDEX=2

#param WIDTH 1
#param WORKGROUP 64
#param EACH 1

struct Params {
  slabs: u32,       // o, in these windows
  items: u32,       // n, in this window of the output
  inner: u32,       // i; a multiple of WIDTH
  length: u32,      // of x along the axis
  row_0: u32,       // first index in this window of x
  rows: u32,        // and how many
  index_slab: u32,  // strides of the index
  index_item: u32,
  index_inner: u32,
  x_base: u32,
  index_base: u32,
  out_base: u32,
  missing: f32,     // NaN, which WGSL has no literal for
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> index: array<i32>;

fn gather_strip(strip: u32) {
  let strips = params.inner / WIDTH;
  let slab = strip / strips / params.items;
  if (slab >= params.slabs) { return; }
  let item = strip / strips % params.items;
  let i = strip % strips * WIDTH;

  let at = slab * params.index_slab + item * params.index_item + i * params.index_inner;
  let wanted = u32(index[params.index_base + at]); // negative ones become large
  let row = wanted - params.row_0;
  let here = row < params.rows;
  if (!here && wanted < params.length) { return; }
  var value = vec4(params.missing);
  if (here) { value = x_strip(params.x_base + (slab * params.rows + row) * params.inner + i); }
  store_out(params.out_base + strip * WIDTH, value);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let first = workgroup_index(group, groups) * (WORKGROUP * EACH) + local;
#for n in EACH
  gather_strip(first + $n * WORKGROUP);
#end
}
