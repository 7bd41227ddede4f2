// Forward kinematics: an invocation takes a body, joint by joint from the root. Matrices are kept by rows in memory, so
// what mat3x3 calls a column here is a row.

#include "common/grid.wgsl"
#include "kinematics/joints.wgsl"

#param WORKGROUP 64

@group(0) @binding(1) var<storage, read> rotations: array<f32>;
@group(0) @binding(2) var<storage, read> rest: array<f32>;
@group(0) @binding(3) var<storage, read> parents: array<i32>;
@group(0) @binding(4) var<storage, read_write> turned: array<f32>;
@group(0) @binding(5) var<storage, read_write> positions: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let n = workgroup_index(group, groups) * WORKGROUP + local;
  if (n >= params.count) { return; }
  let first = n * params.joints;
  let rest_0 = params.rest_base + n * params.rest_stride;
  for (var i = 0u; i < 9u; i++) { turned[params.turned_base + 9u * first + i] = rotations[params.rotations_base + 9u * first + i]; }
  for (var i = 0u; i < 3u; i++) { positions[params.positions_base + 3u * first + i] = rest[rest_0 + i]; }
  for (var joint = 1u; joint < params.joints; joint++) {
    let parent = parent_of(parents[joint], joint);
    let above = params.turned_base + 9u * (first + parent);
    let own = params.rotations_base + 9u * (first + joint);
    let offset = vec3(
      rest[rest_0 + 3u * joint] - rest[rest_0 + 3u * parent],
      rest[rest_0 + 3u * joint + 1u] - rest[rest_0 + 3u * parent + 1u],
      rest[rest_0 + 3u * joint + 2u] - rest[rest_0 + 3u * parent + 2u],
    );
    for (var r = 0u; r < 3u; r++) {
      let row = vec3(turned[above + 3u * r], turned[above + 3u * r + 1u], turned[above + 3u * r + 2u]);
      for (var c = 0u; c < 3u; c++) {
        let column = vec3(rotations[own + c], rotations[own + c + 3u], rotations[own + c + 6u]);
        turned[params.turned_base + 9u * (first + joint) + 3u * r + c] = dot(row, column);
      }
      positions[params.positions_base + 3u * (first + joint) + r] =
        positions[params.positions_base + 3u * (first + parent) + r] + dot(row, offset);
    }
  }
}
