// What reaches each joint's position: its own gradient and those of all joints behind it. An invocation takes a body,
// from the ends of the limbs to the root.

#include "common/grid.wgsl"
#include "kinematics/joints.wgsl"

#param WORKGROUP 64

@group(0) @binding(1) var<storage, read> up_positions: array<f32>;
@group(0) @binding(2) var<storage, read> parents: array<i32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let n = workgroup_index(group, groups) * WORKGROUP + local;
  if (n >= params.count) { return; }
  let first = 3u * n * params.joints;
  for (var i = 0u; i < 3u * params.joints; i++) { sums[first + i] = up_positions[params.positions_base + first + i]; }
  for (var joint = params.joints - 1u; joint > 0u; joint--) {
    let parent = parent_of(parents[joint], joint);
    for (var r = 0u; r < 3u; r++) { sums[first + 3u * parent + r] += sums[first + 3u * joint + r]; }
  }
}
