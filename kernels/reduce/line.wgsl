// Lines along the middle axis of [outer, length, inner]: one per invocation, or with SHARED one per workgroup, whose
// invocations take every LANES-th element each. A family includes this and states visit(line, lane).
// line-launches.ts is the host side.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT

#param WORKGROUP 64

struct Params {
  lines: u32,  // outer x inner, in these windows
  length: u32,
  inner: u32,  // from one element of a line to the next
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

#if SHARED
const LANES = u32(WORKGROUP);
#else
const LANES = 1u;
#endif

// The first element of a line, in a window of whole lines.
fn first_of(line: u32) -> u32 { return line / params.inner * params.length * params.inner + line % params.inner; }

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
#if SHARED
  let line = workgroup_index(group, groups);
  let lane = local;
#else
  let line = workgroup_index(group, groups) * WORKGROUP + local;
  let lane = 0u;
#endif
  if (line < params.lines) { visit(line, lane); }
}
