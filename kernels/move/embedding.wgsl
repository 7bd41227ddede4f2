// out[i] = weight[ids[i]], four columns per invocation, for the ids whose row lies in this window of the table. An id in no
// window gives NaN.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=weight INDEX=1 FORMAT=WEIGHT_FORMAT

#param WORKGROUP 64

struct Params {
  groups: u32,      // groups of four columns, of all ids
  width: u32,
  row_0: u32,       // first row in this window
  rows: u32,        // and how many
  table_rows: u32,
  weight_base: u32,
  ids_base: u32,
  out_base: u32,
  missing: f32,     // NaN, which WGSL has no literal for
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> ids: array<i32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let group = workgroup_index(workgroup, workgroups) * WORKGROUP + local;
  if (group >= params.groups) { return; }
  let groups_per_row = (params.width + 3u) / 4u;
  let item = group / groups_per_row;
  let column = group % groups_per_row * 4u;
  let id = u32(ids[params.ids_base + item]); // negative ones become large
  let row = id - params.row_0;
  if (row >= params.rows && id < params.table_rows) { return; }
  let at = params.out_base + item * params.width + column;
  for (var j = 0u; j < min(4u, params.width - column); j++) {
    var value = params.missing;
    if (row < params.rows) { value = weight_1(params.weight_base + row * params.width + column + j); }
    out[at + j] = value;
  }
}
