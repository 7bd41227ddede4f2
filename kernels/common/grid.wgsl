// A count of workgroups is spread over x, y and z, since each axis is limited. The last workgroups may lie beyond the
// count: kernels compare the index with their own total.
fn workgroup_index(id: vec3<u32>, count: vec3<u32>) -> u32 {
  return id.x + count.x * (id.y + count.y * id.z);
}
