// out[base + i . strides] = x[base + i . strides], or one word for all, over a box of indices; EACH times four along
// the innermost axis per invocation. Whatever the words mean, their bits stay.
//
// Variants:
//   FOUR    groups of four are contiguous and aligned on both sides: one load, one store
//   TURNED  they are so along one axis of x and another of the output: blocks of four by four are turned in registers
//   FILL    a word instead of x

#include "common/grid.wgsl"
#include "common/box.wgsl"

#param WORKGROUP 64

struct Params {
  runs: u32,
  runs_per_row: u32,
  columns: u32,
  fill: u32,
  turn: u32,
  sizes: array<vec4<u32>, 2>,
  strides: array<vec4<u32>, 5>,
  steps: array<vec4<u32>, 1>,
  bases: array<vec4<u32>, 1>,
}
@group(0) @binding(0) var<uniform> params: Params;
#if WIDE
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

fn copy_group(group: Group) {
#if TURNED
#for j in 4
  let x_$j = load((group.at.y + $j * params.steps[0].y) >> 2u);
#end
#for i in 4
  out[(group.at.x + $i * params.turn) >> 2u] = vec4(x_0[$i], x_1[$i], x_2[$i], x_3[$i]);
#end
#else
#if FOUR
  out[group.at.x >> 2u] = load(group.at.y >> 2u);
#else
#for j in 4
  if (group.count > $j) { out[group.at.x + $j * params.steps[0].x] = load(group.at.y + $j * params.steps[0].y); }
#end
#endif
#endif
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
  if (run.count > 4 * $n) { copy_group(group_of(run, $n)); }
#end
}
