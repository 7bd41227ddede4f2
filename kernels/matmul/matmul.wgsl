// out = epilogue(a b), one tile of ROWS x 4 STRIPS outputs per invocation.
//
// Variants:
//   direct (this file)  operands straight from storage into registers; no workgroup memory, no barrier. Every load of four
//                       feeds 16 STRIPS or 4 ROWS multiply-adds. Right everywhere, and what CPU rasterisers want.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=a INDEX=1 FORMAT=A_FORMAT
#include "common/operand.wgsl" NAME=b INDEX=2 FORMAT=B_FORMAT
#if BIAS
#include "common/operand.wgsl" NAME=bias INDEX=4 FORMAT=BIAS_FORMAT
#endif
#if RESIDUAL
#include "common/operand.wgsl" NAME=residual INDEX=5 FORMAT=RESIDUAL_FORMAT
#endif
#include "common/activation.wgsl"

#param ROWS 8
#param STRIPS 2
#param WORKGROUP 64

struct Params {
  batch: u32,
  m: u32,        // rows in these windows
  n: u32,        // columns computed from this window of b
  k: u32,        // inner elements in this window
  k_0: u32,      // where they begin in a row of a
  a_stride: u32, // elements between rows of a
  b_stride: u32, // elements between rows of b as it is stored
  b_batch: u32,  // elements between batches of b
  b_last: u32,   // last column of b that may be loaded
  columns: u32,  // columns of the whole output
  column_0: u32, // where this window's columns begin in it
  gate: u32,     // distance from a value column to its gate column
  a_base: u32,
  b_base: u32,
  out_base: u32,
  residual_base: u32,
  out_last: u32, // last element of this window of the output
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// Elements k..k+3 of a row of a, zeros beyond its end.
fn a_four(row: u32, k: u32) -> vec4<f32> {
#if K_TAIL
  var v = vec4(0.0);
  for (var j = 0u; j < 4u; j++) {
    if (k + j < params.k) { v[j] = a_1(row + k + j); }
  }
  return v;
#else
  return a_4(row + k);
#endif
}

// The 4 x 4 block of b at (k, n). Beyond b's edges the last row or column is repeated: there a is zero, or nothing is stored.
#if TRANSPOSE_B
// One vector over k per column: used as vector * block.
fn b_block(start: u32, k: u32, n: u32) -> mat4x4<f32> {
  var block: mat4x4<f32>;
  for (var i = 0u; i < 4u; i++) {
    let column = start + min(n + i, params.b_last) * params.b_stride;
#if K_TAIL
    for (var j = 0u; j < 4u; j++) { block[i][j] = b_1(column + min(k + j, params.k - 1u)); }
#else
    block[i] = b_4(column + k);
#endif
  }
  return block;
}
fn multiply(v: vec4<f32>, block: mat4x4<f32>) -> vec4<f32> { return v * block; }
#else
// One vector over n per row: used as block * vector.
fn b_block(start: u32, k: u32, n: u32) -> mat4x4<f32> {
  var block: mat4x4<f32>;
  for (var i = 0u; i < 4u; i++) {
    let row = start + min(k + i, params.k - 1u) * params.b_stride;
#if N_TAIL
    for (var j = 0u; j < 4u; j++) { block[i][j] = b_1(row + min(n + j, params.b_last)); }
#else
    block[i] = b_4(row + min(n, params.b_last - 3u));
#endif
  }
  return block;
}
fn multiply(v: vec4<f32>, block: mat4x4<f32>) -> vec4<f32> { return block * v; }
#endif

fn bias_four(n: u32) -> vec4<f32> {
  var v = vec4(0.0);
#if BIAS
  for (var j = 0u; j < 4u; j++) { v[j] = bias_1(min(params.column_0 + n + j, params.columns + params.gate - 1u)); }
#endif
  return v;
}

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
    for (var i = 0u; i < ROWS; i++) {
      rows[i] = a_four(params.a_base + (batch * params.m + min(m0 + i, params.m - 1u)) * params.a_stride + params.k_0, k);
    }
    for (var s = 0u; s < STRIPS; s++) {
      let block = b_block(b_start, k, n0 + 4u * s);
      for (var i = 0u; i < ROWS; i++) { sums[i][s] += multiply(rows[i], block); }
#if GEGLU
      let gate = b_block(b_start, k, n0 + 4u * s + params.gate);
      for (var i = 0u; i < ROWS; i++) { gates[i][s] += multiply(rows[i], gate); }
#endif
    }
  }

  for (var s = 0u; s < STRIPS; s++) {
    let n = n0 + 4u * s;
    let value_bias = bias_four(n);
#if GEGLU
    let gate_bias = bias_four(n + params.gate);
#endif
    for (var i = 0u; i < ROWS; i++) {
      if (m0 + i >= params.m) { break; }
      let start = (batch * params.m + m0 + i) * params.columns + params.column_0 + n;
#if ACCUMULATE
      for (var j = 0u; j < 4u; j++) { sums[i][s][j] += out[params.out_base + min(start + j, params.out_last)]; }
#endif
#if GEGLU
      let v = (sums[i][s] + value_bias) * activate(gates[i][s] + gate_bias);
#else
      let v = activate(sums[i][s] + value_bias);
#endif
      for (var j = 0u; j < 4u; j++) {
        if (n + j >= params.n) { break; }
        var result = v[j];
#if RESIDUAL
        result += residual_1(params.residual_base + start + j);
#endif
        out[params.out_base + start + j] = result;
      }
    }
  }
}
