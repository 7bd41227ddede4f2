// out = epilogue(convolution of x by weight), as a matrix product that is never laid out: its rows are output pixels, its
// columns output channels of one group, and the sum runs over taps and input channels.
//
// Variants (variant.ts chooses):
//   direct (this file)     one tile of ROWS x 4 STRIPS outputs per invocation, operands straight from storage into
//                          registers; no workgroup memory, no barrier. Every load of four feeds 16 STRIPS or 4 ROWS
//                          multiply-adds. What CPU rasterisers want, and few channels everywhere.
//   tiled                  tiles of both operands in workgroup memory, each element loaded once per workgroup: GPUs.
//   subgroup-matrix        the same tiles in f16, multiplied by the matrix units of GPUs that show them.

#include "common/grid.wgsl"
#include "conv/operands.wgsl"

#param ROWS 8
#param STRIPS 2
#param WORKGROUP 64

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let tiles_n = (params.n + 4u * STRIPS - 1u) / (4u * STRIPS);
  let tiles_p = (params.pixels + ROWS - 1u) / ROWS;
  let tile = workgroup_index(group, groups) * WORKGROUP + local;
  let g = tile / (tiles_n * tiles_p);
  if (g >= params.groups) { return; }
  let p0 = (tile / tiles_n) % tiles_p * ROWS;
  let n0 = tile % tiles_n * 4u * STRIPS;

  var corners: array<vec4<i32>, ROWS>;
  for (var i = 0u; i < ROWS; i++) { corners[i] = corner_of(p0 + i); }

  var sums: array<array<vec4<f32>, STRIPS>, ROWS>;
  var tap_start = params.weight_base + g * params.n * params.weight_stride;
  for (var df = 0u; df < params.tap_frames; df++) {
    for (var dy = 0u; dy < params.tap_height; dy++) {
      for (var dx = 0u; dx < params.tap_width; dx++) {
        var seen: array<Seen, ROWS>;
        for (var i = 0u; i < ROWS; i++) { seen[i] = seen_by(vec3(df, dy, dx), corners[i], g); }
        for (var c = 0u; c < params.channels; c += 4u) {
          var pixels: array<vec4<f32>, ROWS>;
          for (var i = 0u; i < ROWS; i++) { pixels[i] = select(vec4(0.0), x_channels(seen[i].start, c), seen[i].inside); }
          for (var s = 0u; s < STRIPS; s++) {
            let block = weight_block(tap_start, c, n0 + 4u * s);
            for (var i = 0u; i < ROWS; i++) { sums[i][s] += pixels[i] * block; }
          }
        }
        tap_start += params.channels;
      }
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    if (p0 + i >= params.pixels) { break; }
    for (var s = 0u; s < STRIPS; s++) { finish(p0 + i, u32(corners[i].w), g, n0 + 4u * s, sums[i][s]); }
  }
}
