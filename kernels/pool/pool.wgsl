// Pooling: one strip of channels of one result per invocation, over the pixels that its window sees of the picture.
//
// Variants:
//   KIND avg  their mean
//   KIND max  the largest, or the first NaN

#include "common/grid.wgsl"
#include "common/nan.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/strip.wgsl" NAME=x
#include "common/strip-out.wgsl" NAME=out INDEX=2

#param WIDTH 1
#param WORKGROUP 64

struct Params {
  batch: u32,        // in these windows
  rows: u32,         // of x in this window: all that its results see of the picture
  width: u32,
  channels: u32,
  out_rows: u32,     // in this window
  out_width: u32,
  kernel: i32,
  stride: i32,
  first_row: i32,    // where the first result's window begins, in this window of x; negative in the padding
  first_column: i32,
  pixels: f32,       // what a sum is divided by; 0 stands for the pixels seen
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let strips = params.channels / WIDTH;
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let pixel = index / strips;
  let row = pixel / params.out_width;
  let batch = row / params.out_rows;
  if (batch >= params.batch) { return; }

  let corner = vec2<i32>(vec2(row % params.out_rows, pixel % params.out_width)) * params.stride
    + vec2(params.first_row, params.first_column);
  let first = vec2<u32>(max(corner, vec2(0)));
  let end = vec2<u32>(min(corner + params.kernel, vec2<i32>(vec2(params.rows, params.width))));
  let start = params.x_base + index % strips * WIDTH;

#if KIND == avg
  var result = vec4(0.0);
#else
  var result = x_strip(start + ((batch * params.rows + first.x) * params.width + first.y) * params.channels);
#endif
  for (var y = first.x; y < end.x; y++) {
    for (var x = first.y; x < end.y; x++) {
      let value = x_strip(start + ((batch * params.rows + y) * params.width + x) * params.channels);
#if KIND == avg
      result += value;
#else
      result = select(result, value, ((value > result) | is_nan_4(value)) & !is_nan_4(result));
#endif
    }
  }
#if KIND == avg
  let seen = f32((end.x - first.x) * (end.y - first.y));
  result /= select(params.pixels, seen, params.pixels == 0.0);
#endif
  store_out(params.out_base + index * WIDTH, result);
}
