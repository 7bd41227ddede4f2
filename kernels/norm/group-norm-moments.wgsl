// Group norm, first pass: the mean of every channel over a slice of rows, and m2, the sum of squared deviations from
// it, by Welford's recurrence. Values are taken relative to the first of their group, so that a large common part does
// not cost them their digits.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/operand.wgsl" NAME=first INDEX=2 FORMAT=X_FORMAT
#include "common/strip.wgsl" NAME=x
#include "common/strip-out.wgsl" NAME=moments INDEX=3

#param WIDTH 1
#param WORKGROUP 64

struct Params {
  batch: u32,        // in these windows
  rows: u32,         // of a batch in this window
  slices: u32,       // of a batch in this window
  slice_0: u32,      // the first of them
  slices_all: u32,   // of a whole batch
  slice_rows: u32,
  channels: u32,
  depth: u32,        // channels of a group
  x_base: u32,
  first_base: u32,
  first_stride: u32, // elements of a batch
}
@group(0) @binding(0) var<uniform> params: Params;

struct Moments {
  mean: vec4<f32>,
  m2: vec4<f32>,
}

// With the n-th value, counted from 1.
fn with_value(moments: Moments, value: vec4<f32>, n: u32) -> Moments {
  let deviation = value - moments.mean;
  let mean = moments.mean + deviation * (1.0 / f32(n));
  return Moments(mean, moments.m2 + deviation * (value - mean));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let strips = params.channels / WIDTH;
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let c = index % strips * WIDTH;
  let slice = index / strips % params.slices;
  let batch = index / strips / params.slices;
  if (batch >= params.batch) { return; }

  var shift: vec4<f32>;
#for j in WIDTH
  shift[$j] = first_1(params.first_base + batch * params.first_stride + (c + $j) / params.depth * params.depth);
#end
  let row_0 = slice * params.slice_rows;
  let count = min(params.slice_rows, params.rows - row_0);
  var i = params.x_base + (batch * params.rows + row_0) * params.channels + c;
  var result = Moments(vec4(0.0), vec4(0.0));
  var n = 0u;
  // Four rows are spelled out: CPU rasterisers are slow at loops, and more so at branches.
  for (; n + 4u <= count; n += 4u) {
#for j in 4
    result = with_value(result, x_strip(i + $j * params.channels) - shift, n + $j + 1u);
#end
    i += 4u * params.channels;
  }
  for (; n < count; n++) {
    result = with_value(result, x_strip(i) - shift, n + 1u);
    i += params.channels;
  }
  let target_index = (batch * params.slices_all + params.slice_0 + slice) * 2u * params.channels + c;
  store_moments(target_index, result.mean);
  store_moments(target_index + params.channels, result.m2);
}
