// Convolution in tiles (see common/tile.wgsl): rows are output pixels, columns output channels of one group, and every
// step takes TILE_K channels of one tap.

#include "conv/operands.wgsl"

// Fours of the left tile that an invocation loads.
const LOADS = (TILE_ROWS * TILE_FOURS + WORKGROUP - 1u) / WORKGROUP;

struct Tile {
  group: u32,
  pixel: u32,   // its first
  channel: u32, // its first
  corners: array<vec4<i32>, LOADS>,
}

fn tiles_down() -> u32 { return (params.pixels + TILE_ROWS - 1u) / TILE_ROWS; }
fn tiles_across() -> u32 { return (params.n + 4u * TILE_QUADS - 1u) / (4u * TILE_QUADS); }
fn tile_count() -> u32 { return params.groups * tiles_down() * tiles_across(); }
fn channel_steps() -> u32 { return (params.channels + TILE_K - 1u) / TILE_K; }
fn steps() -> u32 { return params.tap_frames * params.tap_height * params.tap_width * channel_steps(); }

fn tile_at(index: u32, local: u32) -> Tile {
  let down = index / tiles_across();
  var tile: Tile;
  tile.group = down / tiles_down();
  tile.pixel = down % tiles_down() * TILE_ROWS;
  tile.channel = index % tiles_across() * 4u * TILE_QUADS;
  for (var l = 0u; l < LOADS; l++) { tile.corners[l] = corner_of(tile.pixel + (local + l * WORKGROUP) / TILE_FOURS); }
  return tile;
}

fn load_tiles(tile: Tile, local: u32, step: u32) {
  let c_0 = step % channel_steps() * TILE_K;
  let tap = step / channel_steps();
  let tap_row = tap / params.tap_width;
  let offset = vec3(tap_row / params.tap_height, tap_row % params.tap_height, tap % params.tap_width);
  for (var l = 0u; l < LOADS; l++) {
    let i = local + l * WORKGROUP;
    if (i >= TILE_ROWS * TILE_FOURS) { break; }
    let c = c_0 + 4u * (i % TILE_FOURS);
    let seen = seen_by(offset, tile.corners[l], tile.group);
    var values = vec4(0.0);
    if (seen.inside && c < params.channels) { values = x_channels(seen.start, c); }
    put_left(i / TILE_FOURS, i % TILE_FOURS, values);
  }
  let start = params.weight_base + tile.group * params.n * params.weight_stride + tap * params.channels;
  for (var i = local; i < TILE_QUADS * TILE_FOURS; i += WORKGROUP) {
    let four = i % TILE_FOURS;
    let quad = i / TILE_FOURS;
    let c = c_0 + 4u * four;
    var block = mat4x4<f32>();
    if (c < params.channels) { block = weight_block(start, c, tile.channel + 4u * quad); }
    put_right(four, quad, transpose(block));
  }
}

fn finish_quad(tile: Tile, row: u32, quad: u32, sums: vec4<f32>, gates: vec4<f32>) {
  let pixel = tile.pixel + row;
  if (pixel >= params.pixels) { return; }
  finish(pixel, tile.group, tile.channel + 4u * quad, sums);
}
