// The last pass: an invocation takes a pixel, through the triangles that touch its tile, in their order. Where there
// are more triangles than a binding holds, it goes on from what the run before has left.

#include "common/grid.wgsl"
#include "raster/records.wgsl"
#include "raster/sides.wgsl"

#param TILE 16
#param STEPS 256
#param WORKGROUP 64

struct Params {
  first_face: u32,
  blocks: u32,
  words: u32, // of bits, for a tile
  columns: u32, // of tiles
  width: i32,
  rows: i32, // in this window
  first_row: i32,
  triangles_base: u32,
  shares_base: u32,
  depth_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> records: array<Triangle>;
@group(0) @binding(2) var<storage, read> touching_blocks: array<u32>;
@group(0) @binding(3) var<storage, read> touching: array<u32>;
@group(0) @binding(4) var<storage, read_write> triangles: array<i32>;
@group(0) @binding(5) var<storage, read_write> shares: array<f32>;
// Bits of floats: WGSL cannot write infinity, and numbers above 0 are in the order of their bits.
@group(0) @binding(6) var<storage, read_write> depth: array<u32>;

const INFINITE = 0x7f800000u;

fn contains(box: vec4<i32>, pixel: vec2<i32>) -> bool {
  return all(box.xy <= pixel) && all(box.zw >= pixel);
}

// Whether a point on a given side of an edge is inside. Points on a left or upper edge are.
fn is_inside(side: Side, origin: vec2<i32>, to: vec2<i32>) -> bool {
  let has_edge = to.y < origin.y || (to.y == origin.y && to.x > origin.x);
  return !is_negative(side) && (has_edge || !is_zero(side));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  // Neighbours in squares of 8 x 8, so that they go the same ways.
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let tile = index / (TILE * TILE);
  let square = index / 64u % (TILE * TILE / 64u);
  let inside = vec2(square % (TILE / 8u) * 8u + index % 8u, square / (TILE / 8u) * 8u + index / 8u % 8u);
  let place = vec2<i32>(vec2(tile % params.columns, tile / params.columns) * TILE + inside);
  if (place.x >= params.width || place.y >= params.rows) { return; }
  let pixel = place + vec2(0, params.first_row);
  let point = pixel * STEPS;
  let at = u32(place.y * params.width + place.x);

  var nearest = INFINITE;
  var found = -1;
  var parts = vec3(0.0);
  if (params.first_face > 0u) {
    nearest = depth[params.depth_base + at];
    found = triangles[params.triangles_base + at];
  }
  let before = found;
  for (var word = 0u; word < params.words; word++) {
    var blocks = touching_blocks[tile * params.words + word];
    while (blocks != 0u) {
      let block = word * 32u + firstTrailingBit(blocks);
      blocks &= blocks - 1u;
      var bits = touching[tile * params.blocks + block];
      while (bits != 0u) {
        let face = block * BLOCK + firstTrailingBit(bits);
        bits &= bits - 1u;
        if (!contains(records[face].box, pixel)) { continue; }
        let triangle = records[face];
        let a = triangle.first.xy;
        let b = triangle.first.zw;
        let c = triangle.second.xy;
        let u = side_of(b, c, point);
        if (!is_inside(u, b, c)) { continue; }
        let v = side_of(c, a, point);
        if (!is_inside(v, c, a)) { continue; }
        let w = side_of(a, b, point);
        if (!is_inside(w, a, b)) { continue; }
        // What is even in the picture is one over the depth.
        let over = vec3(float_of(u), float_of(v), float_of(w)) / triangle.depth.xyz;
        let total = over.x + over.y + over.z;
        let z = bitcast<u32>(triangle.depth.w / total);
        if (z < nearest) {
          nearest = z;
          found = i32(params.first_face + face);
          parts = select(over, over.xzy, triangle.second.z == 1) / total;
        }
      }
    }
  }
  if (found == before && params.first_face > 0u) { return; }
  depth[params.depth_base + at] = nearest;
  triangles[params.triangles_base + at] = found;
  for (var i = 0u; i < 3u; i++) { shares[params.shares_base + 3u * at + i] = parts[i]; }
}
