// A walk through a box of indices, in groups of four along its innermost axis: a run of EACH groups per invocation.
// Component 0 of every vector belongs to the output, 1 to 3 to the operands. boxes.ts is the host side, which gives
// EACH, AXES (axes other than the innermost), DIVIDED (AXES less 1, or 0) and WORKGROUP.
//
// A family includes this, puts box-params.wgsl into its Params, and states visit(group), which does one group.
//
// With TURNED a group is a block of four by four: along the innermost axis, where the output is contiguous, and along
// the one where the operand is. Both begin at multiples of four.

#include "common/grid.wgsl"

#param EACH 1
#param AXES 5
#param DIVIDED 4
#param WORKGROUP 64

struct Group {
  at: vec4<u32>, // index of the group's first element in every window
  count: u32,    // of its elements: 4, or fewer at the end of a row
}

// The elements from a run's first to the end of its row, as if they were one group.
fn run_at(run: u32) -> Group {
#if AXES
  // Divisions are the dearest part of a walk: none for the last axis, which has what is left.
  var row = run / params.runs_per_row;
#else
  let row = 0u;
#endif
  let column = (run - row * params.runs_per_row) * (4 * EACH);
  var at = params.bases[0] + column * params.steps[0];
#for axis in DIVIDED
  let size_$axis = params.sizes[$axis / 4][$axis % 4];
  let next_$axis = row / size_$axis;
  at += (row - next_$axis * size_$axis) * params.strides[$axis];
  row = next_$axis;
#end
#if AXES
  at += row * params.strides[AXES - 1];
#endif
  return Group(at, params.columns - column);
}

// Group n of a run that has so many.
fn group_of(run: Group, n: u32) -> Group {
  return Group(run.at + 4u * n * params.steps[0], min(4u, run.count - 4u * n));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(workgroup, workgroups) * WORKGROUP + local;
  if (index >= params.runs) { return; }
  let run = run_at(index);
#for n in EACH
  if (run.count > 4 * $n) { visit(group_of(run, $n)); }
#end
}
