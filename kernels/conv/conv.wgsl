// out = epilogue(convolution of x by weight), as a matrix product that is never laid out: its rows are output pixels,
// its columns output channels of one group, and the sum runs over taps and input channels.
//
// Variants (variant.ts chooses):
//   direct (this file)     one tile of OWN pixels by 4 STRIPS channels per invocation, operands straight from storage
//                          into registers; no workgroup memory, no barrier. Every load of four feeds 16 STRIPS or 4
//                          OWN multiply-adds. Few channels everywhere, and CPU rasterisers without subgroups.
//   subgroup (this file)   such a tile per subgroup: pixels are loaded once and handed around, output channels are each
//                          lane's own (common/lanes.wgsl). CPU rasterisers.
//   tiled                  tiles of both operands in workgroup memory, each element loaded once per workgroup: GPUs.
//   subgroup-matrix        the same tiles in f16, multiplied by the matrix units of GPUs that show them.

#include "common/lanes.wgsl"
#include "conv/operands.wgsl"

fn make_tile(tile: u32, lane: u32) {
  let tiles_n = (params.n + COLUMNS - 1u) / COLUMNS;
  let tiles_p = (params.pixels + ROWS - 1u) / ROWS;
  let g = tile / (tiles_n * tiles_p);
  if (g >= params.groups) { return; }
  let p0 = (tile / tiles_n) % tiles_p * ROWS;
  let n0 = tile % tiles_n * COLUMNS + 4u * lane;

#for j in OWN
  let corner_$j = corner_of(p0 + $j * LANES + lane);
#end
  var sums: Sums;
  var tap_start = params.weight_base + g * params.n * params.weight_stride;
  for (var df = 0u; df < params.tap_frames; df++) {
    for (var dy = 0u; dy < params.tap_height; dy++) {
      for (var dx = 0u; dx < params.tap_width; dx++) {
#for j in OWN
        let seen_$j = seen_by(vec3(df, dy, dx), corner_$j, g);
#end
        for (var c = 0u; c < params.channels; c += 4u) {
#for j in OWN
          let own_$j = select(vec4(0.0), x_channels(seen_$j.start, c), seen_$j.inside);
#end
#for s in STRIPS
          let block_$s = weight_block(tap_start, c, n0 + $s * STRIP);
#for j in OWN
#for lane in LANES
          sums[$j * LANES + $lane][$s] += from_lane($lane, own_$j) * block_$s;
#end
#end
#end
        }
        tap_start += params.channels;
      }
    }
  }

  // A loop, since many epilogues in a row take seconds to compile; over a copy, since drivers keep in memory what a
  // loop indexes, and the sums themselves shall stay in registers.
  var finished: Sums;
#for j in OWN
#for lane in LANES
  finished[$j * LANES + $lane] = sums[$j * LANES + $lane];
#end
#end
  for (var pixel = p0; pixel < min(p0 + ROWS, params.pixels); pixel++) {
    for (var s = 0u; s < STRIPS; s++) { finish(pixel, g, n0 + s * STRIP, finished[pixel - p0][s]); }
  }
}
