// The second pass: which blocks of triangles, and which triangles of them, may touch a tile of the picture, a bit each.
// An invocation takes a tile and 32 blocks.

#include "common/grid.wgsl"
#include "raster/records.wgsl"

#param TILE 16
#param WORKGROUP 64

struct Params {
  faces: u32, // in this window
  blocks: u32,
  words: u32,   // of bits, for a tile
  tiles: u32,
  columns: u32, // of tiles
  first_row: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> records: array<Triangle>;
@group(0) @binding(2) var<storage, read> boxes: array<vec4<i32>>;
// A bit a block: [tiles, words].
@group(0) @binding(3) var<storage, read_write> touching_blocks: array<u32>;
// A bit a triangle: [tiles, blocks], written where the block touches.
@group(0) @binding(4) var<storage, read_write> touching: array<u32>;

fn overlaps(box: vec4<i32>, low: vec2<i32>, high: vec2<i32>) -> bool {
  return all(box.xy <= high) && all(box.zw >= low);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let tile = index / params.words;
  if (tile >= params.tiles) { return; }
  let low = vec2<i32>(vec2(tile % params.columns, tile / params.columns)) * TILE + vec2(0, params.first_row);
  let high = low + TILE - 1;
  let first = index % params.words * 32u;
  var blocks = 0u;
  for (var i = 0u; i < min(32u, params.blocks - first); i++) {
    let block = first + i;
    if (!overlaps(boxes[block], low, high)) { continue; }
    var bits = 0u;
    for (var n = 0u; n < min(BLOCK, params.faces - block * BLOCK); n++) {
      if (overlaps(records[block * BLOCK + n].box, low, high)) { bits |= 1u << n; }
    }
    touching[tile * params.blocks + block] = bits;
    blocks |= 1u << i;
  }
  touching_blocks[index] = blocks;
}
