// What the shaders of forward kinematics share: windows on bodies, and parents that come before their children even
// where an operand says otherwise.

struct Params {
  count: u32, // bodies in these windows
  joints: u32,
  rest_stride: u32, // from one body's rest positions to the next's; 0 where all share them
  rotations_base: u32,
  rest_base: u32,
  turned_base: u32,
  positions_base: u32,
  up_base: u32,
  of_rotations_base: u32,
  of_rest_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

fn parent_of(parent: i32, joint: u32) -> u32 {
  return u32(clamp(parent, 0, i32(joint) - 1));
}
