// What every variant of attention has in common: its operands, how four channels are read wherever the edges are, and
// how scores become weights.

#include "common/nan.wgsl"
#include "common/operand.wgsl" NAME=q INDEX=1 FORMAT=Q_FORMAT
#include "common/operand.wgsl" NAME=k INDEX=2 FORMAT=K_FORMAT
#include "common/operand.wgsl" NAME=v INDEX=3 FORMAT=V_FORMAT
#if MASK
#include "common/operand.wgsl" NAME=mask INDEX=5 FORMAT=MASK_FORMAT
#endif

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
#if SPLIT
// Per query, position, head and slice: the maximum so far and the sum of weights below it.
@group(0) @binding(6) var<storage, read_write> partial: array<vec2<f32>>;
#endif

// Stands for minus infinity, which WGSL cannot write: no weight comes from a score as low as this.
const lowest = -3.4028234e38;

// Channels c..c+3 of a head that begins at `start`. Beyond the head: zeros in q and in k, whose products count; in v
// the last one is repeated, and nothing is stored.
#if WIDTH_TAIL
fn q_four(start: u32, c: u32) -> vec4<f32> {
  var four = vec4(0.0);
  for (var j = 0u; j < 4u; j++) {
    if (c + j < params.width) { four[j] = q_1(start + c + j); }
  }
  return four;
}
fn k_four(start: u32, c: u32) -> vec4<f32> {
  var four = vec4(0.0);
  for (var j = 0u; j < 4u; j++) {
    if (c + j < params.width) { four[j] = k_1(start + c + j); }
  }
  return four;
}
#else
fn q_four(start: u32, c: u32) -> vec4<f32> { return q_4(start + c); }
fn k_four(start: u32, c: u32) -> vec4<f32> { return k_4(start + min(c, params.width - 4u)); }
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

// The same of a head of the output: what was stored there before, and a store of what lies within the head.
#if VALUE_TAIL
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
fn stored_four(start: u32, c: u32) -> vec4<f32> {
  var four: vec4<f32>;
  for (var j = 0u; j < 4u; j++) { four[j] = out[start + min(c + j, params.value_width - 1u)]; }
  return four;
}
fn store_four(start: u32, c: u32, four: vec4<f32>) {
  for (var j = 0u; j < 4u; j++) {
    if (c + j < params.value_width) { out[start + c + j] = four[j]; }
  }
}
#else
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;
fn stored_four(start: u32, c: u32) -> vec4<f32> { return out[(start + min(c, params.value_width - 4u)) >> 2u]; }
fn store_four(start: u32, c: u32, four: vec4<f32>) {
  if (c < params.value_width) { out[(start + c) >> 2u] = four; }
}
#endif

// A block of queries of one head at one position, for one slice of its value channels.
struct Task {
  block: u32,
  slice: u32,
  batch: u32,    // beyond the last when there is nothing to do
  q_first: u32,  // query 0, in rows of one head
  q_row: u32,    // from a query to the next
  kv_first: u32, // key 0
  kv_row: u32,
}
fn task_at(index: u32, blocks: u32, slices: u32) -> Task {
  let rest = index / blocks / slices;
  let head = rest % params.heads;
  let position = rest / params.heads % params.positions;
  let batch = rest / params.heads / params.positions;
  let q_row = params.positions * params.heads;
  let kv_row = params.kv_positions * params.heads;
  return Task(
    index % blocks,
    index / blocks % slices,
    batch,
    batch * params.rows * q_row + position * params.heads + head,
    q_row,
    batch / params.repeat * params.keys * kv_row + position % params.kv_positions * params.heads + head,
    kv_row,
  );
}

// Keys of these windows that any query before `row` sees.
fn keys_before(row: u32) -> u32 {
  let seen = max(params.first_row + row, params.first_key) - params.first_key;
  return select(params.keys, min(params.keys, seen), params.causal == 1u);
}

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

// What is left of sums when the maximum rises. NaN spoils its query, also where a driver's max drops it or exp answers
// it with a number.
fn fade(before: f32, after: f32) -> f32 {
  let rise = before - after;
  return select(exp(rise), rise, is_nan(rise));
}
fn weights_of(scores: vec4<f32>, most: f32) -> vec4<f32> {
  let below = scores - most;
  return select(select(exp(below), below, is_nan_4(below)), vec4(0.0), scores <= vec4(lowest));
}
