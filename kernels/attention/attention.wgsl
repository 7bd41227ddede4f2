// out = softmax(scale q k^T + mask) v, ROWS queries of one head and SLICE of its value channels per invocation. Keys are
// taken 4 STRIPS at a time; the sums so far fade by exp(old maximum - new maximum), so no score outlives its block.
//
// Variants:
//   direct (this file)  operands straight from storage into registers; no workgroup memory, no barrier. Invocations side
//                       by side share keys and values, so their loads coincide. Heads wider than SLICE are done in
//                       slices that each compute the scores again: a wide sum would not fit registers.

#include "common/grid.wgsl"
#include "common/nan.wgsl"
#include "common/operand.wgsl" NAME=q INDEX=1 FORMAT=Q_FORMAT
#include "common/operand.wgsl" NAME=k INDEX=2 FORMAT=K_FORMAT
#include "common/operand.wgsl" NAME=v INDEX=3 FORMAT=V_FORMAT
#if MASK
#include "common/operand.wgsl" NAME=mask INDEX=5 FORMAT=MASK_FORMAT
#endif

#param ROWS 2
#param STRIPS 4
#param SLICE 64
#param WORKGROUP 64

struct Params {
  batch: u32,       // query batches in these windows
  repeat: u32,      // query batches that share a batch of keys
  rows: u32,        // queries in these windows
  first_row: u32,   // the first one's number
  keys: u32,        // keys in these windows
  first_key: u32,   // the first one's number
  positions: u32,
  heads: u32,
  width: u32,       // channels of a head in q and k
  value_width: u32, // channels of a head in v and out
  kv_positions: u32,
  mask_row: u32,    // elements between rows of the mask
  q_base: u32,
  k_base: u32,
  v_base: u32,
  out_base: u32,
  mask_base: u32,
  scale: f32,
  causal: u32,      // 1: keys after a query's own number are hidden
  finish: u32,      // 1: these are the last keys
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
#if SPLIT
// Per query, position, head and slice: the maximum so far and the sum of weights below it.
@group(0) @binding(6) var<storage, read_write> partial: array<vec2<f32>>;
#endif

// Stands for minus infinity, which WGSL cannot write: no weight comes from a score as low as this.
const lowest = -3.4028234e38;

// Channels c..c+3 of a head that begins at `start`: zeros beyond the head in q, the last one repeated in k and v.
#if WIDTH_TAIL
fn q_four(start: u32, c: u32) -> vec4<f32> {
  var four = vec4(0.0);
  for (var j = 0u; j < 4u; j++) {
    if (c + j < params.width) { four[j] = q_1(start + c + j); }
  }
  return four;
}
fn k_four(start: u32, c: u32) -> vec4<f32> {
  var four: vec4<f32>;
  for (var j = 0u; j < 4u; j++) { four[j] = k_1(start + min(c + j, params.width - 1u)); }
  return four;
}
#else
fn q_four(start: u32, c: u32) -> vec4<f32> { return q_4(start + c); }
fn k_four(start: u32, c: u32) -> vec4<f32> { return k_4(start + c); }
#endif
#if VALUE_TAIL
fn v_four(start: u32, c: u32) -> vec4<f32> {
  var four: vec4<f32>;
  for (var j = 0u; j < 4u; j++) { four[j] = v_1(start + min(c + j, params.value_width - 1u)); }
  return four;
}
#else
fn v_four(start: u32, c: u32) -> vec4<f32> { return v_4(start + min(c, params.value_width - 4u)); }
#endif

// Scaled and masked scores of query `row` for keys key..key+3.
fn finished(scores: vec4<f32>, row: u32, key: u32) -> vec4<f32> {
  var s = scores * params.scale;
#if MASK
  let mask_row = params.mask_base + row * params.mask_row + params.first_key;
  for (var j = 0u; j < 4u; j++) { s[j] += mask_1(mask_row + min(key + j, params.keys - 1u)); }
#endif
  let keys = key + vec4(0u, 1u, 2u, 3u);
  s = select(s, vec4(lowest), keys >= vec4(params.keys));
  if (params.causal == 1u) { s = select(s, vec4(lowest), params.first_key + keys > vec4(params.first_row + row)); }
  return s;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let tiles = (params.rows + ROWS - 1u) / ROWS;
  let slices = (params.value_width + SLICE - 1u) / SLICE;
  var task = workgroup_index(group, groups) * WORKGROUP + local;
  let row_0 = task % tiles * ROWS;
  task /= tiles;
  let slice = task % slices;
  task /= slices;
  let head = task % params.heads;
  task /= params.heads;
  let position = task % params.positions;
  let batch = task / params.positions;
  if (batch >= params.batch) { return; }

  // Rows of one head, counted in heads: from here to the next query or key.
  let q_row = params.positions * params.heads;
  let q_first = batch * params.rows * q_row + position * params.heads + head;
  let kv_row = params.kv_positions * params.heads;
  let kv_first = batch / params.repeat * params.keys * kv_row + position % params.kv_positions * params.heads + head;
  let c_0 = slice * SLICE;

  var sums: array<array<vec4<f32>, SLICE / 4u>, ROWS>;
  var most: array<f32, ROWS>;
  var totals: array<f32, ROWS>;
  for (var i = 0u; i < ROWS; i++) { most[i] = lowest; }
#if SPLIT
  if (params.first_key > 0u) {
    for (var i = 0u; i < ROWS; i++) {
      let row = q_first + min(row_0 + i, params.rows - 1u) * q_row;
      let before = partial[row * slices + slice];
      most[i] = before.x;
      totals[i] = before.y;
      let start = params.out_base + row * params.value_width;
      for (var c = 0u; c < SLICE; c++) {
        sums[i][c >> 2u][c & 3u] = out[start + min(c_0 + c, params.value_width - 1u)];
      }
    }
  }
#endif

  var end = params.keys;
  if (params.causal == 1u) {
    end = min(end, max(params.first_row + row_0 + ROWS, params.first_key) - params.first_key);
  }
  for (var key = 0u; key < end; key += 4u * STRIPS) {
    // Spelled out, since some drivers leave what the block before had in a variable without an initial value.
    var weights = array<array<vec4<f32>, STRIPS>, ROWS>();
    for (var c = 0u; c < params.width; c += 4u) {
      var rows: array<vec4<f32>, ROWS>;
      for (var i = 0u; i < ROWS; i++) {
        rows[i] = q_four(params.q_base + (q_first + min(row_0 + i, params.rows - 1u) * q_row) * params.width, c);
      }
      for (var s = 0u; s < STRIPS; s++) {
        var block: mat4x4<f32>; // one vector over channels per key
        for (var j = 0u; j < 4u; j++) {
          let row = kv_first + min(key + 4u * s + j, params.keys - 1u) * kv_row;
          block[j] = k_four(params.k_base + row * params.width, c);
        }
        for (var i = 0u; i < ROWS; i++) { weights[i][s] += rows[i] * block; }
      }
    }

    var fade: array<f32, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
      let row = min(row_0 + i, params.rows - 1u);
      var high = most[i];
      for (var s = 0u; s < STRIPS; s++) {
        let scores = finished(weights[i][s], row, key + 4u * s);
        weights[i][s] = scores;
        high = max(high, max(max(scores.x, scores.y), max(scores.z, scores.w)));
      }
      // NaN spoils its query, also where a driver's max drops it or exp answers it with a number.
      let rise = most[i] - high;
      fade[i] = select(exp(rise), rise, is_nan(rise));
      most[i] = high;
      totals[i] *= fade[i];
      for (var s = 0u; s < STRIPS; s++) {
        let scores = weights[i][s];
        let below = scores - high;
        let weight = select(exp(below), below, is_nan_4(below));
        weights[i][s] = select(weight, vec4(0.0), scores <= vec4(lowest));
        totals[i] += dot(weights[i][s], vec4(1.0));
      }
    }

    for (var c = 0u; c < SLICE / 4u; c++) {
      for (var i = 0u; i < ROWS; i++) { sums[i][c] *= fade[i]; }
      for (var s = 0u; s < STRIPS; s++) {
        var block: mat4x4<f32>; // one vector over channels per key
        for (var j = 0u; j < 4u; j++) {
          let row = kv_first + min(key + 4u * s + j, params.keys - 1u) * kv_row;
          block[j] = v_four(params.v_base + row * params.value_width, c_0 + 4u * c);
        }
        for (var i = 0u; i < ROWS; i++) { sums[i][c] += block * weights[i][s]; }
      }
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    if (row_0 + i >= params.rows) { break; }
    let row = q_first + (row_0 + i) * q_row;
#if SPLIT
    partial[row * slices + slice] = vec2(most[i], totals[i]);
#endif
    let divisor = select(1.0, totals[i], params.finish == 1u);
    let start = params.out_base + row * params.value_width + c_0;
    for (var c = 0u; c < SLICE; c++) {
      if (c_0 + c >= params.value_width) { break; }
      out[start + c] = sums[i][c >> 2u][c & 3u] / divisor;
    }
  }
}
