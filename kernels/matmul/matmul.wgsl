// out = epilogue(a b).
//
// Variants (variant.ts chooses):
//   direct (this file)     one tile of OWN rows by 4 STRIPS columns per invocation, operands straight from storage into
//                          registers; no workgroup memory, no barrier. Every load of four feeds 16 STRIPS or 4 OWN
//                          multiply-adds. Thin products everywhere, and CPU rasterisers without subgroups.
//   subgroup (this file)   such a tile per subgroup: rows of a are loaded once and handed around, columns are each
//                          lane's own (common/lanes.wgsl). CPU rasterisers.
//   tiled                  tiles of both operands in workgroup memory, each element loaded once per workgroup: GPUs.
//   subgroup-matrix        the same tiles in f16, multiplied by the matrix units of GPUs that show them.

#include "common/lanes.wgsl"
#include "matmul/operands.wgsl"

#if TRANSPOSE_B
fn multiply(v: vec4<f32>, block: mat4x4<f32>) -> vec4<f32> { return v * block; }
#else
fn multiply(v: vec4<f32>, block: mat4x4<f32>) -> vec4<f32> { return block * v; }
#endif

fn make_tile(tile: u32, lane: u32) {
  let tiles_n = (params.n + COLUMNS - 1u) / COLUMNS;
  let tiles_m = (params.m + ROWS - 1u) / ROWS;
  let batch = tile / (tiles_n * tiles_m);
  if (batch >= params.batch) { return; }
  let m0 = (tile / tiles_n) % tiles_m * ROWS;
  let n0 = tile % tiles_n * COLUMNS + 4u * lane;
  let b_start = params.b_base + batch * params.b_batch;

#for j in OWN
  let row_$j = a_row(batch, m0 + $j * LANES + lane);
#end
  var sums: Sums;
  for (var k = 0u; k < params.k; k += 4u) {
#for j in OWN
    let own_$j = a_four(row_$j, k);
#end
#for s in BLOCKS
    let block_$s = b_block(b_start, k, n0 + $s % STRIPS * STRIP + $s / STRIPS * params.gate);
#for j in OWN
#for lane in LANES
    sums[$j * LANES + $lane][$s] += multiply(from_lane($lane, own_$j), block_$s);
#end
#end
#end
  }

  // A loop, since many epilogues in a row take seconds to compile; over a copy, since drivers keep in memory what a
  // loop indexes, and the sums themselves shall stay in registers.
  var finished: Sums;
#for j in OWN
#for lane in LANES
  finished[$j * LANES + $lane] = sums[$j * LANES + $lane];
#end
#end
  for (var row = m0; row < min(m0 + ROWS, params.m); row++) {
    for (var s = 0u; s < STRIPS; s++) {
#if GEGLU
      finish(batch * params.m + row, n0 + s * STRIP, finished[row - m0][s], finished[row - m0][s + STRIPS]);
#else
      finish(batch * params.m + row, n0 + s * STRIP, finished[row - m0][s], vec4(0.0));
#endif
    }
  }
}
