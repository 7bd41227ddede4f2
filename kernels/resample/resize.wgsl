// Resizing: EACH strips of channels of one result per invocation, weights reckoned on the way.
//
// Variants:
//   MODE nearest             one pixel, untouched
//   MODE bilinear | bicubic  the pixels within the filter's support, those beyond the edge replaced by the edge's
//   ANTIALIAS                pixels beyond the edge are left out, and the sum of weights divided away

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/strip.wgsl" NAME=x
#include "common/strip-out.wgsl" NAME=out INDEX=2

#param WIDTH 1
#param CUBIC -0.75
#param WORKGROUP 64
#param EACH 1

struct Params {
  batch: u32,       // in these windows
  height: u32,      // of the whole input
  width: u32,
  channels: u32,
  runs: u32,        // of EACH strips in the channels
  window_row: u32,  // first row of the input in this window
  window_rows: u32,
  out_row: u32,     // first row of the result in this window
  out_rows: u32,
  out_width: u32,
  scale_y: f32,
  scale_x: f32,
  shift_y: f32,
  shift_x: f32,
  support_y: f32,
  support_x: f32,
  shrink_y: f32,    // 1 / stretch
  shrink_x: f32,
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

#if MODE == bilinear
fn weight(distance: f32) -> f32 { return max(0.0, 1.0 - abs(distance)); }
#endif
#if MODE == bicubic
fn weight(distance: f32) -> f32 {
  let t = min(abs(distance), 2.0);
  let near = ((CUBIC + 2.0) * t - (CUBIC + 3.0)) * t * t + 1.0;
  let far = ((t - 5.0) * t + 8.0) * t * CUBIC - 4.0 * CUBIC;
  return select(far, near, t <= 1.0);
}
#endif

// Where pixel (row, column) of a picture begins, held inside this window.
fn pixel(batch: u32, row: i32, column: i32) -> u32 {
  let first = i32(params.window_row);
  let y = u32(clamp(row, first, first + i32(params.window_rows) - 1) - first);
  let x = u32(clamp(column, 0, i32(params.width) - 1));
  return params.x_base + ((batch * params.window_rows + y) * params.width + x) * params.channels;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  // Indices by one division each.
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  let place = index / params.runs;
  let line = place / params.out_width;
  let batch = line / params.out_rows;
  if (batch >= params.batch) { return; }
  let column = place - line * params.out_width;
  let row = line - batch * params.out_rows;
  let c = (index - place * params.runs) * (WIDTH * EACH);
#for n in EACH
  let c_$n = min(c + $n * WIDTH, params.channels - WIDTH);
#end

  let y = params.scale_y * f32(params.out_row + row) + params.shift_y;
  let x = params.scale_x * f32(column) + params.shift_x;
#if MODE == nearest
  let from_pixel = pixel(batch, i32(y), i32(x));
#for n in EACH
  let result_$n = x_strip(from_pixel + c_$n);
#end
#else
  var y_first = i32(floor(y - params.support_y)) + 1;
  var x_first = i32(floor(x - params.support_x)) + 1;
  var y_last = i32(floor(y + params.support_y));
  var x_last = i32(floor(x + params.support_x));
#if ANTIALIAS
  y_first = max(y_first, 0);
  x_first = max(x_first, 0);
  y_last = min(y_last, i32(params.height) - 1);
  x_last = min(x_last, i32(params.width) - 1);
#endif
#for n in EACH
  var result_$n = vec4(0.0);
#end
  var total = 0.0;
  for (var i = y_first; i <= y_last; i++) {
    let row_weight = weight((f32(i) - y) * params.shrink_y);
    for (var j = x_first; j <= x_last; j++) {
      let both = row_weight * weight((f32(j) - x) * params.shrink_x);
      let from_pixel = pixel(batch, i, j);
#for n in EACH
      result_$n += both * x_strip(from_pixel + c_$n);
#end
      total += both;
    }
  }
#if ANTIALIAS
#for n in EACH
  result_$n /= total;
#end
#endif
#endif
#for n in EACH
  if (c + $n * WIDTH < params.channels) { store_out(params.out_base + place * params.channels + c_$n, result_$n); }
#end
}
