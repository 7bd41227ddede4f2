// The tiled product on matrix units, with the face of tile.wgsl. Four subgroups, two by two, hold 2 x 2 results each,
// so a tile is [4 M, TILE_K] by [TILE_K, 4 N]. Operands are rounded to f16, sums are f32. Results go through workgroup
// memory to the family's finish_quad, one of four from each subgroup at a time.
//
// WORKGROUP is four times the largest subgroup; where subgroups are smaller there are more of them, and those beyond
// the fourth only load and store.

#include "common/matrix.wgsl"
#include "common/grid.wgsl"
#include "common/nan.wgsl"

#param WORKGROUP 128

const TILE_ROWS = 4u * MATRIX_M;
const TILE_QUADS = u32(MATRIX_N);
const TILE_FOURS = 8u; // TILE_K / 4
const TILE_K = 32u;
// Eight more than needed: rows stay aligned to 16 bytes and do not fall on the same banks.
const LEFT_STRIDE = TILE_K + 8u;
const RIGHT_STRIDE = 4u * TILE_QUADS + 8u;
const RESULT_SIZE = u32(MATRIX_M * MATRIX_N);
#if PAIRED
const PARTS = 2u; // pairs of subgroups with values and gates
#else
const PARTS = 4u;
#endif

var<workgroup> left_tile: array<Half, TILE_ROWS * LEFT_STRIDE>; // [row, k]
var<workgroup> right_tile: array<Half, TILE_K * RIGHT_STRIDE>;  // [k, column]
var<workgroup> result_tile: array<f32, 4u * RESULT_SIZE>;       // [subgroup, M, N]

alias Sums = array<Result, 4>;

// The largest f16 where rounding would give infinity: a large value alone must not spoil all that it is added to. What
// is infinite or NaN already stays so.
fn halves(values: vec4<f32>) -> vec4<Half> {
  let endless = is_nan_4(values) | (abs(values) > vec4(3.4028234e38));
  return vec4<Half>(select(clamp(values, vec4(-65504.0), vec4(65504.0)), values, endless));
}

fn put_left(row: u32, four: u32, values: vec4<f32>) {
  let half = halves(values);
  for (var j = 0u; j < 4u; j++) { left_tile[row * LEFT_STRIDE + 4u * four + j] = half[j]; }
}

fn put_right(four: u32, quad: u32, rows: mat4x4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    let half = halves(rows[i]);
    for (var j = 0u; j < 4u; j++) { right_tile[(4u * four + i) * RIGHT_STRIDE + 4u * quad + j] = half[j]; }
  }
}

// Written out: a result that is picked by a variable index may leave the registers.
fn multiply_tiles(subgroup: u32, sums: ptr<function, Sums>) {
  if (subgroup >= 4u) { return; }
  let row = subgroup / 2u * 2u * MATRIX_M;
  let column = subgroup % 2u * 2u * MATRIX_N;
  for (var k = 0u; k < TILE_K; k += MATRIX_K) {
    let left_0 = load_left(row * LEFT_STRIDE + k);
    let left_1 = load_left((row + MATRIX_M) * LEFT_STRIDE + k);
    let right_0 = load_right(k * RIGHT_STRIDE + column);
    let right_1 = load_right(k * RIGHT_STRIDE + column + MATRIX_N);
    (*sums)[0] = multiply_add(left_0, right_0, (*sums)[0]);
    (*sums)[1] = multiply_add(left_0, right_1, (*sums)[1]);
    (*sums)[2] = multiply_add(left_1, right_0, (*sums)[2]);
    (*sums)[3] = multiply_add(left_1, right_1, (*sums)[3]);
  }
}

fn result_four(at: u32) -> vec4<f32> {
  return vec4(result_tile[at], result_tile[at + 1u], result_tile[at + 2u], result_tile[at + 3u]);
}

// Finishes the results at (down, across) of every subgroup's 2 x 2.
fn finish_results(subgroup: u32, local: u32, tile: Tile, result: Result, down: u32, across: u32) {
  if (subgroup < 4u) { store_result(subgroup * RESULT_SIZE, result); }
  workgroupBarrier();
  for (var i = 4u * local; i < PARTS * RESULT_SIZE; i += 4u * WORKGROUP) {
    let part = i / RESULT_SIZE;
    let row = i / MATRIX_N % MATRIX_M + down * MATRIX_M;
    let quad = (i % MATRIX_N + across * MATRIX_N) / 4u;
#if PAIRED
    let at = i + part * RESULT_SIZE;
    finish_quad(tile, part * 2u * MATRIX_M + row, quad, result_four(at), result_four(at + RESULT_SIZE));
#else
    finish_quad(
      tile, part / 2u * 2u * MATRIX_M + row, part % 2u * (MATRIX_N / 2u) + quad, result_four(i), vec4(0.0),
    );
#endif
  }
  workgroupBarrier();
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  let index = workgroup_index(group, groups);
  if (index >= tile_count()) { return; }
  let tile = tile_at(index, local);
  var sums: Sums;
  for (var step = 0u; step < steps(); step++) {
    load_tiles(tile, local, step);
    workgroupBarrier();
    multiply_tiles(subgroup, &sums);
    workgroupBarrier();
  }
  finish_results(subgroup, local, tile, sums[0], 0u, 0u);
  finish_results(subgroup, local, tile, sums[1], 0u, 1u);
  finish_results(subgroup, local, tile, sums[2], 1u, 0u);
  finish_results(subgroup, local, tile, sums[3], 1u, 1u);
}
