// A tile of products in the registers of LANES invocations: ROWS rows, of which each loads OWN, by COLUMNS columns, in
// strips of which each sums four. Where the lanes are a subgroup (SUBGROUP), and a workgroup of its own, every row is
// loaded by one lane and handed to the others: on CPU rasterisers a load is done lane by lane, wherever it goes, and
// takes as long as dozens of multiply-adds; a shuffle is one instruction.
//
// A family includes this first, since it enables an extension, and states make_tile(tile, lane), where tiles count from
// 0 and may lie beyond the last. variant.ts is the host side, which gives the numbers below.
#if SUBGROUP
enable subgroups;
#endif

#include "common/grid.wgsl"

#param LANES 1
#param OWN 8
#param STRIPS 2
#param BLOCKS 2
#param WORKGROUP 64

const ROWS = u32(OWN * LANES);
const STRIP = u32(4 * LANES);
const COLUMNS = STRIP * STRIPS;

// Per row the sums of its strips, then those of their gates if it has some (BLOCKS is twice STRIPS).
alias Sums = array<array<vec4<f32>, BLOCKS>, ROWS>;

#if SUBGROUP
fn from_lane(lane: u32, value: vec4<f32>) -> vec4<f32> { return subgroupShuffle(value, lane); }
#else
fn from_lane(lane: u32, value: vec4<f32>) -> vec4<f32> { return value; }
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
#if SUBGROUP
  @builtin(subgroup_invocation_id) lane: u32,
) {
  make_tile(workgroup_index(group, groups), lane);
}
#else
  @builtin(local_invocation_index) local: u32,
) {
  make_tile(workgroup_index(group, groups) * WORKGROUP + local, 0u);
}
#endif
