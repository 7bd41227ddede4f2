// The tiled product on ordinary arithmetic: tiles of both operands in workgroup memory, left [TILE_ROWS, TILE_K] by
// right [TILE_K, 4 TILE_QUADS]. Each of 128 invocations holds 8 rows, 8 apart, of STRIPS quads (four columns), 16
// apart, so that neighbours read neighbouring quads and store beside each other.
//
// A family includes either this or subgroup-matrix.wgsl, which has the same face, and states:
//   tile_count()                 tiles, one per workgroup
//   Tile, tile_at(index, local)  what an invocation has to know of its workgroup's tile
//   steps()                      runs of TILE_K products in a sum
//   load_tiles(tile, local, step)  fills the operands' tiles by put_left and put_right
//   finish_quad(tile, row, quad, sums, gates)  stores four outputs; rows and quads count from the tile's first
// With PAIRED, quads of the tile's right half are the gates of those in its left half and are finished with them.

#include "common/grid.wgsl"

#param STRIPS 2

const WORKGROUP = 128u;
const ROWS = 8u;
const TILE_ROWS = 64u;
const TILE_QUADS = 16u * STRIPS;
const TILE_FOURS = 4u; // TILE_K / 4
const TILE_K = 16u;
// One more than needed, so that fours of a column lie in different banks.
const RIGHT_STRIDE = TILE_QUADS + 1u;

var<workgroup> left_tile: array<vec4<f32>, TILE_ROWS * TILE_FOURS>; // [row, k / 4]
var<workgroup> right_tile: array<vec4<f32>, TILE_K * RIGHT_STRIDE>; // [k, column / 4]

alias Sums = array<array<vec4<f32>, STRIPS>, ROWS>;

// Elements 4 four..4 four + 3 of a row.
fn put_left(row: u32, four: u32, values: vec4<f32>) { left_tile[row * TILE_FOURS + four] = values; }

// Rows 4 four..4 four + 3 of a quad of columns.
fn put_right(four: u32, quad: u32, rows: mat4x4<f32>) {
  for (var i = 0u; i < 4u; i++) { right_tile[(4u * four + i) * RIGHT_STRIDE + quad] = rows[i]; }
}

fn multiply_tiles(local: u32, sums: ptr<function, Sums>) {
  let row = local / 16u;
  let quad = local % 16u;
  for (var four = 0u; four < TILE_FOURS; four++) {
    var rows: array<vec4<f32>, ROWS>;
    for (var i = 0u; i < ROWS; i++) { rows[i] = left_tile[(row + 8u * i) * TILE_FOURS + four]; }
    for (var s = 0u; s < STRIPS; s++) {
      let at = 4u * four * RIGHT_STRIDE + quad + 16u * s;
      let block = mat4x4<f32>(
        right_tile[at],
        right_tile[at + RIGHT_STRIDE],
        right_tile[at + 2u * RIGHT_STRIDE],
        right_tile[at + 3u * RIGHT_STRIDE],
      );
      for (var i = 0u; i < ROWS; i++) { (*sums)[i][s] += block * rows[i]; }
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups);
  if (index >= tile_count()) { return; }
  let tile = tile_at(index, local);
  var sums: Sums;
  for (var step = 0u; step < steps(); step++) {
    load_tiles(tile, local, step);
    workgroupBarrier();
    multiply_tiles(local, &sums);
    workgroupBarrier();
  }
  for (var i = 0u; i < ROWS; i++) {
    let row = local / 16u + 8u * i;
    let quad = local % 16u;
#if PAIRED
    finish_quad(tile, row, quad, sums[i][0], sums[i][1]);
#else
    for (var s = 0u; s < STRIPS; s++) { finish_quad(tile, row, quad + 16u * s, sums[i][s], vec4(0.0)); }
#endif
  }
}
