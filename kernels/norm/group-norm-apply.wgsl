// Group norm, last pass: a strip of channels in ROWS rows per invocation.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/operand.wgsl" NAME=weight INDEX=2 FORMAT=WEIGHT_FORMAT
#include "common/operand.wgsl" NAME=bias INDEX=3 FORMAT=BIAS_FORMAT
#include "common/strip.wgsl" NAME=x
#include "common/strip.wgsl" NAME=weight
#include "common/strip.wgsl" NAME=bias
#include "common/strip-out.wgsl" NAME=out INDEX=5
#include "common/activation.wgsl"

#param WIDTH 1
#param ROWS 4
#param WORKGROUP 64

struct Params {
  batch: u32,    // in these windows
  rows: u32,     // of a batch in these windows
  channels: u32,
  depth: u32,    // channels of a group
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
// As group-norm-merge.wgsl leaves them.
@group(0) @binding(4) var<storage, read> statistics: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let strips = params.channels / WIDTH;
  let blocks = (params.rows + ROWS - 1u) / ROWS;
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let c = index % strips * WIDTH;
  let row_0 = index / strips % blocks * ROWS;
  let batch = index / strips / blocks;
  if (batch >= params.batch) { return; }

  var shift: vec4<f32>;
  var mean: vec4<f32>;
  var scale: vec4<f32>;
#for j in WIDTH
  let group_$j = statistics[batch * (params.channels / params.depth) + (c + $j) / params.depth];
  shift[$j] = group_$j.x;
  mean[$j] = group_$j.y;
  scale[$j] = group_$j.z;
#end
  scale *= weight_strip(c);
  let offset = bias_strip(c);
  let end = min(row_0 + ROWS, params.rows);
  var i = (batch * params.rows + row_0) * params.channels + c;
  var row = row_0;
  // Four rows are spelled out: CPU rasterisers are slow at loops, and more so at branches.
  for (; row + 4u <= end; row += 4u) {
#for j in 4
    let centred_$j = x_strip(params.x_base + i) - shift - mean;
    store_out(params.out_base + i, activate(centred_$j * scale + offset));
    i += params.channels;
#end
  }
  for (; row < end; row++) {
    let centred = x_strip(params.x_base + i) - shift - mean;
    store_out(params.out_base + i, activate(centred * scale + offset));
    i += params.channels;
  }
}
