// The `subgroup` variant of attention.wgsl: ROWS queries of one head per lane, LANES apart, and a workgroup is one
// subgroup. A lane keeps its queries and their sums in registers. Four keys (or values) at a time are loaded, each
// lane another part of them, and broadcast from there: a load serves LANES x ROWS queries. #for spells out what a loop
// could not, since drivers keep in memory what is indexed by a variable, and broadcasts want constant lanes.
enable subgroups;

#include "common/grid.wgsl"
#include "attention/operands.wgsl"

#param LANES 4
#param ROWS 4
#param QUADS 16
#param VALUE_QUADS 16
#param LOADS 16
#param VALUE_LOADS 16

// Where the head of a key, or of its value, begins; the last key is repeated.
fn kv_row(task: Task, key: u32) -> u32 { return task.kv_first + min(key, params.keys - 1u) * task.kv_row; }

// Part e of four keys: channels 4 (e mod QUADS)... of key e / QUADS. Zeros where the head is narrower than the
// registers, and for values beyond the last key, whose weight is zero: infinity times zero would be NaN.
fn k_part(task: Task, key: u32, e: u32) -> vec4<f32> {
  let c = e % QUADS * 4u;
  let four = k_four(params.k_base + kv_row(task, key + e / QUADS) * params.width, c);
  return select(vec4(0.0), four, c < params.width);
}
fn v_part(task: Task, key: u32, e: u32) -> vec4<f32> {
  let own = key + e / VALUE_QUADS;
  let four = v_four(params.v_base + kv_row(task, own) * params.value_width, e % VALUE_QUADS * 4u);
  return select(vec4(0.0), four, own < params.keys);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  const block_rows = u32(LANES * ROWS);
  let task = task_at(workgroup_index(group, groups), (params.rows + block_rows - 1u) / block_rows, 1u);
  if (task.batch >= params.batch) { return; }
  let row = task.block * block_rows + lane; // the lane's first

  var queries: array<array<vec4<f32>, QUADS>, ROWS>;
  var sums: array<array<vec4<f32>, VALUE_QUADS>, ROWS>;
  var most: array<f32, ROWS>;
  var totals: array<f32, ROWS>;
#for i in ROWS
  let row_$i = min(row + $i * LANES, params.rows - 1u);
  let q_$i = task.q_first + row_$i * task.q_row;
  let out_$i = params.out_base + q_$i * params.value_width;
  most[$i] = lowest;
#end
  // A loop that looks for the register takes a sixth of the time to compile that as many loads would.
  for (var c = 0u; c < params.width; c += 4u) {
#for i in ROWS
    let four_$i = q_four(params.q_base + q_$i * params.width, c);
#for quad in QUADS
    queries[$i][$quad] = select(queries[$i][$quad], four_$i, c == 4u * $quad);
#end
#end
  }
#if SPLIT
  if (params.first_key > 0u) {
    for (var c = 0u; c < params.value_width; c += 4u) {
#for i in ROWS
      let four_$i = stored_four(out_$i, c);
#for quad in VALUE_QUADS
      sums[$i][$quad] = select(sums[$i][$quad], four_$i, c == 4u * $quad);
#end
#end
    }
#for i in ROWS
    most[$i] = partial[q_$i].x;
    totals[$i] = partial[q_$i].y;
#end
  }
#endif

  let end = keys_before((task.block + 1u) * block_rows);
  for (var key = 0u; key < end; key += 4u) {
#for i in ROWS
    var weights_$i = vec4(0.0);
#end
    var parts: array<vec4<f32>, LOADS>;
#for load in LOADS
    parts[$load] = k_part(task, key, $load * LANES + lane);
#end
#for j in 4
#for quad in QUADS
    let k_$j_$quad = subgroupBroadcast(parts[($j * QUADS + $quad) / LANES], ($j * QUADS + $quad) % LANES);
#for i in ROWS
    weights_$i[$j] += dot(queries[$i][$quad], k_$j_$quad);
#end
#end
#end

    var value_parts: array<vec4<f32>, VALUE_LOADS>;
#for load in VALUE_LOADS
    value_parts[$load] = v_part(task, key, $load * LANES + lane);
#end
#for i in ROWS
    weights_$i = finished(weights_$i, row_$i, key);
    let high_$i = max(most[$i], max(max(weights_$i.x, weights_$i.y), max(weights_$i.z, weights_$i.w)));
    let fade_$i = fade(most[$i], high_$i);
    most[$i] = high_$i;
    weights_$i = weights_of(weights_$i, high_$i);
    totals[$i] = totals[$i] * fade_$i + dot(weights_$i, vec4(1.0));
#for quad in VALUE_QUADS
    sums[$i][$quad] *= fade_$i;
#end
#end
#for quad in VALUE_QUADS
#for j in 4
    let v_$j_$quad =
      subgroupBroadcast(value_parts[($j * VALUE_QUADS + $quad) / LANES], ($j * VALUE_QUADS + $quad) % LANES);
#for i in ROWS
    sums[$i][$quad] += weights_$i[$j] * v_$j_$quad;
#end
#end
#end
  }

#for i in ROWS
  let divisor_$i = select(1.0, totals[$i], params.finish == 1u);
#if SPLIT
  if (row + $i * LANES < params.rows) { partial[q_$i] = vec2(most[$i], totals[$i]); }
#endif
#end
  for (var c = 0u; c < params.value_width; c += 4u) {
#for i in ROWS
    var four_$i = vec4(0.0);
#for quad in VALUE_QUADS
    four_$i = select(four_$i, sums[$i][$quad], c == 4u * $quad);
#end
    if (row + $i * LANES < params.rows) { store_four(out_$i, c, four_$i / divisor_$i); }
#end
  }
}
