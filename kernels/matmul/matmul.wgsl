// out = epilogue(a b).
//
// Variants (variant.ts chooses):
//   direct (this file)     one tile of ROWS x 4 STRIPS outputs per invocation, operands straight from storage into
//                          registers; no workgroup memory, no barrier. Every load of four feeds 16 STRIPS or 4 ROWS
//                          multiply-adds. What CPU rasterisers want, and thin products everywhere.
//   tiled                  tiles of both operands in workgroup memory, each element loaded once per workgroup: GPUs.
//   subgroup-matrix        the same tiles in f16, multiplied by the matrix units of GPUs that show them.

#include "common/grid.wgsl"
#include "matmul/operands.wgsl"

#param ROWS 8
#param STRIPS 2
#param WORKGROUP 64

#if TRANSPOSE_B
fn multiply(v: vec4<f32>, block: mat4x4<f32>) -> vec4<f32> { return v * block; }
#else
fn multiply(v: vec4<f32>, block: mat4x4<f32>) -> vec4<f32> { return block * v; }
#endif

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let tiles_n = (params.n + 4u * STRIPS - 1u) / (4u * STRIPS);
  let tiles_m = (params.m + ROWS - 1u) / ROWS;
  let tile = workgroup_index(group, groups) * WORKGROUP + local;
  let batch = tile / (tiles_n * tiles_m);
  if (batch >= params.batch) { return; }
  let m0 = (tile / tiles_n) % tiles_m * ROWS;
  let n0 = tile % tiles_n * 4u * STRIPS;
  let b_start = params.b_base + batch * params.b_batch;

  var sums: array<array<vec4<f32>, STRIPS>, ROWS>;
#if GEGLU
  var gates: array<array<vec4<f32>, STRIPS>, ROWS>;
#endif
  for (var k = 0u; k < params.k; k += 4u) {
    var rows: array<vec4<f32>, ROWS>;
    for (var i = 0u; i < ROWS; i++) { rows[i] = a_four(a_row(batch, m0 + i), k); }
    for (var s = 0u; s < STRIPS; s++) {
      let block = b_block(b_start, k, n0 + 4u * s);
      for (var i = 0u; i < ROWS; i++) { sums[i][s] += multiply(rows[i], block); }
#if GEGLU
      let gate = b_block(b_start, k, n0 + 4u * s + params.gate);
      for (var i = 0u; i < ROWS; i++) { gates[i][s] += multiply(rows[i], gate); }
#endif
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    if (m0 + i >= params.m) { break; }
    for (var s = 0u; s < STRIPS; s++) {
#if GEGLU
      finish(batch * params.m + m0 + i, n0 + 4u * s, sums[i][s], gates[i][s]);
#else
      finish(batch * params.m + m0 + i, n0 + 4u * s, sums[i][s], vec4(0.0));
#endif
    }
  }
}
