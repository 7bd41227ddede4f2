// The first pass: corners to steps of a pixel, and boxes around triangles and around blocks of them. An invocation
// takes a block.

#include "common/grid.wgsl"
#include "raster/records.wgsl"
#include "raster/sides.wgsl"

#param WORKGROUP 64
#param STEPS 256

struct Params {
  faces: u32, // in this window
  vertices: u32,
  blocks: u32,
  nearest: u32,        // bits of an f32
  depths: u32,         // how far those of the farthest are from it
  farthest_pixel: f32,
  faces_base: u32,
  points_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> faces: array<u32>;
@group(0) @binding(3) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read_write> boxes: array<vec4<i32>>;

const nothing = vec4(0x7fffffff, 0x7fffffff, -1, -1);

fn at(vertex: u32) -> vec3<f32> {
  let i = params.points_base + 3u * vertex;
  return vec3(points[i], points[i + 1u], points[i + 2u]);
}

// By their bits, which NaN cannot pass.
fn is_seen(corner: vec3<f32>) -> bool {
  let magnitudes = bitcast<vec2<u32>>(corner.xy) & vec2(0x7fffffffu);
  let near = all(magnitudes <= vec2(bitcast<u32>(params.farthest_pixel)));
  return near && bitcast<u32>(corner.z) - params.nearest <= params.depths;
}

// The nearest whole one; halves upwards.
fn steps_of(place: vec2<f32>) -> vec2<i32> {
  let exact = place * f32(STEPS);
  let below = floor(exact);
  return vec2<i32>(below) + select(vec2(0), vec2(1), exact - below >= vec2(0.5));
}

fn triangle_of(face: u32) -> Triangle {
  let i = params.faces_base + 3u * face;
  let corners = vec3(faces[i], faces[i + 1u], faces[i + 2u]);
  var none = Triangle();
  none.box = nothing;
  if (any(corners >= vec3(params.vertices))) { return none; }
  let a = at(corners.x);
  let b = at(corners.y);
  let c = at(corners.z);
  if (!is_seen(a) || !is_seen(b) || !is_seen(c)) { return none; }
  let p = steps_of(a.xy);
  let q = steps_of(b.xy);
  let r = steps_of(c.xy);
  let area = side_of(p, q, r);
  if (is_zero(area)) { return none; }
  let low = min(p, min(q, r));
  let high = max(p, max(q, r));
  // Shifts round down, whatever the sign.
  let box = vec4((low + STEPS - 1) >> vec2(BITS), high >> vec2(BITS));
  if (is_negative(area)) {
    return Triangle(box, vec4(p, r), vec4(q, 1, 0), vec4(a.z, c.z, b.z, -float_of(area)));
  }
  return Triangle(box, vec4(p, q), vec4(r, 0, 0), vec4(a.z, b.z, c.z, float_of(area)));
}

const BITS = firstTrailingBit(u32(STEPS));

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let block = workgroup_index(group, groups) * WORKGROUP + local;
  if (block >= params.blocks) { return; }
  var around = nothing;
  for (var face = block * BLOCK; face < min((block + 1u) * BLOCK, params.faces); face++) {
    let triangle = triangle_of(face);
    triangles[face] = triangle;
    around = vec4(min(around.xy, triangle.box.xy), max(around.zw, triangle.box.zw));
  }
  boxes[block] = around;
}
