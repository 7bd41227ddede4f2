// What every variant of the matrix product has in common: its operands, how four elements or a block of them are read
// wherever the edges are, and how four outputs are finished.

#include "common/operand.wgsl" NAME=a INDEX=1 FORMAT=A_FORMAT
#include "common/operand.wgsl" NAME=b INDEX=2 FORMAT=B_FORMAT
#if BIAS
#include "common/operand.wgsl" NAME=bias INDEX=4 FORMAT=BIAS_FORMAT
#endif

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
#include "common/epilogue.wgsl"

// Where a row of a begins; beyond the last row the last is repeated.
fn a_row(batch: u32, row: u32) -> u32 {
  return params.a_base + (batch * params.m + min(row, params.m - 1u)) * params.a_stride + params.k_0;
}

// Elements k..k+3 of the row of a at `start`, zeros beyond its end; k < params.k.
fn a_four(start: u32, k: u32) -> vec4<f32> {
#if K_TAIL
  var v = vec4(0.0);
#for j in 4
  if (k + $j < params.k) { v[$j] = a_1(start + k + $j); }
#end
  return v;
#else
  return a_4(start + k);
#endif
}

// Four elements of b at (k, n): along k where b is transposed, else along n. Terms beyond the last are zero, as in a,
// since infinity times zero would be NaN. Beyond the last column it is repeated, and nothing is stored.
#if TRANSPOSE_B
fn b_four(start: u32, k: u32, n: u32) -> vec4<f32> {
  let column = start + min(n, params.b_last) * params.b_stride;
#if K_TAIL
  let last = params.k - 1u;
  let four = vec4(
    b_1(column + k), b_1(column + min(k + 1u, last)), b_1(column + min(k + 2u, last)), b_1(column + min(k + 3u, last)),
  );
  return select(vec4(0.0), four, k + vec4(0u, 1u, 2u, 3u) <= vec4(last));
#else
  return b_4(column + k);
#endif
}
#else
fn b_four(start: u32, k: u32, n: u32) -> vec4<f32> {
  let row = start + min(k, params.k - 1u) * params.b_stride;
#if N_TAIL
  let last = params.b_last;
  let four = vec4(
    b_1(row + min(n, last)), b_1(row + min(n + 1u, last)), b_1(row + min(n + 2u, last)), b_1(row + min(n + 3u, last)),
  );
#else
  let four = b_4(row + min(n, params.b_last - 3u));
#endif
#if K_TAIL
  return select(vec4(0.0), four, k < params.k);
#else
  return four;
#endif
}
#endif

// The 4 x 4 block of b at (k, n), k < params.k.
#if TRANSPOSE_B
// One vector over k per column: used as vector * block.
fn b_block(start: u32, k: u32, n: u32) -> mat4x4<f32> {
  return mat4x4(b_four(start, k, n), b_four(start, k, n + 1u), b_four(start, k, n + 2u), b_four(start, k, n + 3u));
}
#else
// One vector over n per row: used as block * vector.
fn b_block(start: u32, k: u32, n: u32) -> mat4x4<f32> {
  return mat4x4(b_four(start, k, n), b_four(start, k + 1u, n), b_four(start, k + 2u, n), b_four(start, k + 3u, n));
}
#endif

fn bias_four(n: u32) -> vec4<f32> {
  var v = vec4(0.0);
#if BIAS
#for j in 4
  v[$j] = bias_1(min(params.column_0 + n + $j, params.columns + params.gate - 1u));
#end
#endif
  return v;
}

// Outputs n..n+3 of a row, counted over all batches, from their sums and with GEGLU from those of their gates.
fn finish(row: u32, n: u32, sums: vec4<f32>, gates: vec4<f32>) {
  if (n >= params.n) { return; }
  let start = row * params.columns + params.column_0 + n;
  let values = sums_before(start) + sums + bias_four(n);
#if GEGLU
  store_four(start, params.n - n, values * activate(gates + bias_four(n + params.gate)));
#else
  store_four(start, params.n - n, activate(values));
#endif
}
