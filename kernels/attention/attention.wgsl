// out = softmax(scale q k^T + mask) v, block by block of keys; the sums so far fade by exp(old maximum - new maximum),
// so no score outlives its block.
//
// Variants (variant.ts chooses):
//   direct (this file)  ROWS queries of one head and SLICE of its value channels per invocation, 4 STRIPS keys at a
//                       time; operands straight from storage into registers; no workgroup memory, no barrier.
//                       Invocations side by side share keys and values, so their loads coincide. Heads wider than
//                       SLICE are done in slices that each compute the scores again: a wide sum would not fit
//                       registers.
//   subgroup            the lanes of a subgroup load keys and values together and hand them around: CPU rasterisers, on
//                       which a load costs as much as dozens of multiply-adds wherever it goes.

#include "common/grid.wgsl"
#include "attention/operands.wgsl"

#param ROWS 2
#param STRIPS 4
#param SLICE 64
#param WORKGROUP 64

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let slices = (params.value_width + SLICE - 1u) / SLICE;
  let task = task_at(workgroup_index(group, groups) * WORKGROUP + local, (params.rows + ROWS - 1u) / ROWS, slices);
  if (task.batch >= params.batch) { return; }
  let row_0 = task.block * ROWS;
  let c_0 = task.slice * SLICE;

  var sums: array<array<vec4<f32>, SLICE / 4u>, ROWS>;
  var most: array<f32, ROWS>;
  var totals: array<f32, ROWS>;
  for (var i = 0u; i < ROWS; i++) { most[i] = lowest; }
#if SPLIT
  if (params.first_key > 0u) {
    for (var i = 0u; i < ROWS; i++) {
      let row = task.q_first + min(row_0 + i, params.rows - 1u) * task.q_row;
      let before = partial[row * slices + task.slice];
      most[i] = before.x;
      totals[i] = before.y;
      let start = params.out_base + row * params.value_width;
      for (var c = 0u; c < SLICE / 4u; c++) { sums[i][c] = stored_four(start, c_0 + 4u * c); }
    }
  }
#endif

  let end = keys_before(row_0 + ROWS);
  for (var key = 0u; key < end; key += 4u * STRIPS) {
    // Spelled out, since some drivers leave what the block before had in a variable without an initial value.
    var weights = array<array<vec4<f32>, STRIPS>, ROWS>();
    for (var c = 0u; c < params.width; c += 4u) {
      var rows: array<vec4<f32>, ROWS>;
      for (var i = 0u; i < ROWS; i++) {
        let row = task.q_first + min(row_0 + i, params.rows - 1u) * task.q_row;
        rows[i] = q_four(params.q_base + row * params.width, c);
      }
      for (var s = 0u; s < STRIPS; s++) {
        var block: mat4x4<f32>; // one vector over channels per key
        for (var j = 0u; j < 4u; j++) {
          let row = task.kv_first + min(key + 4u * s + j, params.keys - 1u) * task.kv_row;
          block[j] = k_four(params.k_base + row * params.width, c);
        }
        for (var i = 0u; i < ROWS; i++) { weights[i][s] += rows[i] * block; }
      }
    }

    var fades: array<f32, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
      let row = min(row_0 + i, params.rows - 1u);
      var high = most[i];
      for (var s = 0u; s < STRIPS; s++) {
        let scores = finished(weights[i][s], row, key + 4u * s);
        weights[i][s] = scores;
        high = max(high, max(max(scores.x, scores.y), max(scores.z, scores.w)));
      }
      fades[i] = fade(most[i], high);
      most[i] = high;
      totals[i] *= fades[i];
      for (var s = 0u; s < STRIPS; s++) {
        weights[i][s] = weights_of(weights[i][s], high);
        totals[i] += dot(weights[i][s], vec4(1.0));
      }
    }

    for (var c = 0u; c < SLICE / 4u; c++) {
      for (var i = 0u; i < ROWS; i++) { sums[i][c] *= fades[i]; }
      for (var s = 0u; s < STRIPS; s++) {
        var block: mat4x4<f32>; // one vector over channels per key
        for (var j = 0u; j < 4u; j++) {
          // Beyond the last key zeros: its weight is zero, but infinity times zero would be NaN.
          let own = key + 4u * s + j;
          let row = task.kv_first + min(own, params.keys - 1u) * task.kv_row;
          let four = v_four(params.v_base + row * params.value_width, c_0 + 4u * c);
          block[j] = select(vec4(0.0), four, own < params.keys);
        }
        for (var i = 0u; i < ROWS; i++) { sums[i][c] += block * weights[i][s]; }
      }
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    if (row_0 + i >= params.rows) { break; }
    let row = task.q_first + (row_0 + i) * task.q_row;
#if SPLIT
    partial[row * slices + task.slice] = vec2(most[i], totals[i]);
#endif
    let divisor = select(1.0, totals[i], params.finish == 1u);
    let start = params.out_base + row * params.value_width;
    for (var c = 0u; c < SLICE / 4u; c++) { store_four(start, c_0 + 4u * c, sums[i][c] / divisor); }
  }
}
