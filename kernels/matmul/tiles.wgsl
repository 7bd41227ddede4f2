// The matrix product in tiles (see common/tile.wgsl). With GEGLU a tile's right half holds the gates of its left half.

#include "matmul/operands.wgsl"

struct Tile {
  batch: u32,
  row: u32,    // its first
  column: u32, // its first
}

#if PAIRED
const TILE_COLUMNS = 2u * TILE_QUADS;
#else
const TILE_COLUMNS = 4u * TILE_QUADS;
#endif

fn tiles_down() -> u32 { return (params.m + TILE_ROWS - 1u) / TILE_ROWS; }
fn tiles_across() -> u32 { return (params.n + TILE_COLUMNS - 1u) / TILE_COLUMNS; }
fn tile_count() -> u32 { return params.batch * tiles_down() * tiles_across(); }
fn steps() -> u32 { return (params.k + TILE_K - 1u) / TILE_K; }

fn tile_at(index: u32, local: u32) -> Tile {
  let down = index / tiles_across();
  return Tile(down / tiles_down(), down % tiles_down() * TILE_ROWS, index % tiles_across() * TILE_COLUMNS);
}

fn load_tiles(tile: Tile, local: u32, step: u32) {
  for (var i = local; i < TILE_ROWS * TILE_FOURS; i += WORKGROUP) {
    let row = i / TILE_FOURS;
    let k = step * TILE_K + 4u * (i % TILE_FOURS);
    var values = vec4(0.0);
    if (k < params.k) { values = a_four(a_row(tile.batch, tile.row + row), k); }
    put_left(row, i % TILE_FOURS, values);
  }
  let b_start = params.b_base + tile.batch * params.b_batch;
  for (var i = local; i < TILE_QUADS * TILE_FOURS; i += WORKGROUP) {
    // Neighbours read along the rows in which b is stored.
#if TRANSPOSE_B
    let four = i % TILE_FOURS;
    let quad = i / TILE_FOURS;
#else
    let four = i / TILE_QUADS;
    let quad = i % TILE_QUADS;
#endif
#if PAIRED
    let n = tile.column + 4u * quad % TILE_COLUMNS + 4u * quad / TILE_COLUMNS * params.gate;
#else
    let n = tile.column + 4u * quad;
#endif
    let k = step * TILE_K + 4u * four;
    var block = mat4x4<f32>();
    if (k < params.k) { block = b_block(b_start, k, n); }
#if TRANSPOSE_B
    put_right(four, quad, transpose(block));
#else
    put_right(four, quad, block);
#endif
  }
}

fn finish_quad(tile: Tile, row: u32, quad: u32, sums: vec4<f32>, gates: vec4<f32>) {
  if (tile.row + row >= params.m) { return; }
  finish(tile.batch * params.m + tile.row + row, tile.column + 4u * quad, sums, gates);
}
