// The gradient of forward kinematics: an invocation takes a body, from the ends of the limbs to the root. Until a joint
// is reached, its place in of_rotations gathers what comes from its children.

#include "common/grid.wgsl"
#include "kinematics/joints.wgsl"

#param WORKGROUP 64

@group(0) @binding(1) var<storage, read> rotations: array<f32>;
@group(0) @binding(2) var<storage, read> rest: array<f32>;
@group(0) @binding(3) var<storage, read> parents: array<i32>;
@group(0) @binding(4) var<storage, read> turned: array<f32>;
@group(0) @binding(5) var<storage, read> up_turned: array<f32>;
@group(0) @binding(6) var<storage, read> sums: array<f32>; // see position-sums.wgsl
@group(0) @binding(7) var<storage, read_write> of_rotations: array<f32>;
@group(0) @binding(8) var<storage, read_write> of_rest: array<f32>;

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
  let turns = params.of_rotations_base + 9u * first;
  let rests = params.of_rest_base + 3u * first;
  for (var i = 0u; i < 9u * params.joints; i++) { of_rotations[turns + i] = up_turned[params.up_base + 9u * first + i]; }
  for (var i = 0u; i < 3u * params.joints; i++) { of_rest[rests + i] = 0.0; }
  for (var joint = params.joints - 1u; joint > 0u; joint--) {
    let parent = parent_of(parents[joint], joint);
    let above = params.turned_base + 9u * (first + parent);
    let own = params.rotations_base + 9u * (first + joint);
    let at = turns + 9u * joint;
    let sum = 3u * (first + joint);
    var down = array<f32, 9>();
    for (var r = 0u; r < 3u; r++) {
      let along = turned[above + r] * sums[sum] + turned[above + r + 3u] * sums[sum + 1u] + turned[above + r + 6u] * sums[sum + 2u];
      of_rest[rests + 3u * joint + r] += along;
      of_rest[rests + 3u * parent + r] -= along;
      for (var c = 0u; c < 3u; c++) {
        let offset = rest[rest_0 + 3u * joint + c] - rest[rest_0 + 3u * parent + c];
        var up = sums[sum + r] * offset;
        for (var k = 0u; k < 3u; k++) {
          up += of_rotations[at + 3u * r + k] * rotations[own + 3u * c + k];
          down[3u * r + c] += turned[above + 3u * k + r] * of_rotations[at + 3u * k + c];
        }
        of_rotations[turns + 9u * parent + 3u * r + c] += up;
      }
    }
    for (var i = 0u; i < 9u; i++) { of_rotations[at + i] = down[i]; }
  }
  for (var r = 0u; r < 3u; r++) { of_rest[rests + r] += sums[3u * first + r]; }
}
