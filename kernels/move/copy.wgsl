// out[base + i . strides] = x[base + i . strides], or one word for all, over a box of indices; four along the innermost
// axis per invocation. Whatever the words mean, their bits stay.
//
// Variants:
//   FOUR  groups of four are contiguous and aligned on both sides: one load, one store
//   FILL  a word instead of x

#include "common/grid.wgsl"
#include "common/box.wgsl"

#param WORKGROUP 64

struct Params {
  groups: u32,
  columns: u32,
  axes: u32,
  fill: u32,
  sizes: array<vec4<u32>, 2>,
  strides: array<vec4<u32>, 5>,
  steps: array<vec4<u32>, 1>,
  bases: array<vec4<u32>, 1>,
}
@group(0) @binding(0) var<uniform> params: Params;
#if FOUR
alias Unit = vec4<u32>;
#else
alias Unit = u32;
#endif
@group(0) @binding(1) var<storage, read_write> out: array<Unit>;
#if FILL
fn load(i: u32) -> Unit { return Unit(params.fill); }
#else
@group(0) @binding(2) var<storage, read> x: array<Unit>;
fn load(i: u32) -> Unit { return x[i]; }
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(workgroup, workgroups) * WORKGROUP + local;
  if (index >= params.groups) { return; }
  let group = group_at(index);
#if FOUR
  out[group.at.x >> 2u] = load(group.at.y >> 2u);
#else
  for (var j = 0u; j < group.count; j++) {
    let at = group.at + j * params.steps[0];
    out[at.x] = load(at.y);
  }
#endif
}
