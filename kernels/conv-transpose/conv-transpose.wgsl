// out = transposed convolution of x by weight + bias, gathered: each output sums over the input pixels that paint it.
// The output falls into stride x stride phases, whose pixels lie `stride` apart and meet the same taps of the kernel:
// within a phase it is a plain convolution with stride 1. One tile of ROWS pixels of a phase x 4 STRIPS channels per
// invocation.
//
// Variants:
//   direct (this file)  operands straight from storage into registers; no workgroup memory, no barrier. Every load of
//                       four
//                       feeds 16 STRIPS or 4 ROWS multiply-adds. Right everywhere, and what CPU rasterisers want.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/channels.wgsl" NAME=x
#include "common/operand.wgsl" NAME=weight INDEX=2 FORMAT=WEIGHT_FORMAT
#include "common/channels.wgsl" NAME=weight
#if BIAS
#include "common/operand.wgsl" NAME=bias INDEX=4 FORMAT=BIAS_FORMAT
#endif

#param ROWS 8
#param STRIPS 2
#param WORKGROUP 64

struct Params {
  batch: u32,         // in these windows
  rows: u32,          // of x in this window: all that these outputs see
  width: u32,
  channels: u32,
  out_rows: u32,      // in this window
  out_width: u32,
  out_channels: u32,  // of the whole output
  out_channel_0: u32, // where this window's begin in it
  n: u32,             // output channels in this window of the weight
  kernel_height: u32,
  kernel_width: u32,
  stride: u32,
  first_row: u32,     // of the output before padding is cut away, in this window
  first_column: u32,
  x_row: u32,         // first row of x in this window
  x_base: u32,
  weight_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let stride = params.stride;
  let phase_size = (vec2(params.out_rows, params.out_width) + stride - 1u) / stride;
  let pixels = params.batch * phase_size.x * phase_size.y;
  let tiles_n = (params.n + 4u * STRIPS - 1u) / (4u * STRIPS);
  let tiles_p = (pixels + ROWS - 1u) / ROWS;
  let tile = workgroup_index(group, groups) * WORKGROUP + local;
  let phase_index = tile / (tiles_n * tiles_p);
  if (phase_index >= stride * stride) { return; }
  let phase = vec2(phase_index / stride, phase_index % stride);
  let p0 = (tile / tiles_n) % tiles_p * ROWS;
  let n0 = tile % tiles_n * 4u * STRIPS;

  // Each pixel's place in the window of the output, and the pixel of x that its phase's first tap meets.
  var places: array<vec3<u32>, ROWS>;
  var corners: array<vec2<i32>, ROWS>;
  let first = vec2(params.first_row, params.first_column);
  for (var i = 0u; i < ROWS; i++) {
    let p = min(p0 + i, pixels - 1u);
    let row = p / phase_size.y;
    let at = vec2(row % phase_size.x, p % phase_size.y) * stride + phase;
    places[i] = vec3(at, row / phase_size.x);
    corners[i] = vec2<i32>((at + first) / stride) - vec2(i32(params.x_row), 0);
  }
  let first_tap = (phase + first) % stride;
  let extent = vec2<i32>(vec2(params.rows, params.width));
  let weight_stride = params.kernel_height * params.kernel_width * params.channels;

  var sums = array<array<vec4<f32>, STRIPS>, ROWS>();
  for (var dy = 0u; first_tap.x + dy * stride < params.kernel_height; dy++) {
    for (var dx = 0u; first_tap.y + dx * stride < params.kernel_width; dx++) {
      // A pixel outside the picture reads the window's first one and counts as zero, so that all go the same way.
      var starts: array<u32, ROWS>;
      var inside: array<bool, ROWS>;
      for (var i = 0u; i < ROWS; i++) {
        let at = corners[i] - vec2<i32>(vec2(dy, dx));
        inside[i] = all(at >= vec2(0)) && all(at < extent);
        let pixel = (i32(places[i].z) * extent.x + at.x) * extent.y + at.y;
        starts[i] = params.x_base + u32(select(0, pixel, inside[i])) * params.channels;
      }
      let tap = (first_tap.x + dy * stride) * params.kernel_width + first_tap.y + dx * stride;
      let tap_start = params.weight_base + tap * params.channels;
      for (var c = 0u; c < params.channels; c += 4u) {
        var values: array<vec4<f32>, ROWS>;
        for (var i = 0u; i < ROWS; i++) { values[i] = select(vec4(0.0), x_channels(starts[i], c), inside[i]); }
        for (var s = 0u; s < STRIPS; s++) {
          // One vector of channels per output channel; beyond the last it is repeated, and nothing is stored.
          var block: mat4x4<f32>;
          for (var j = 0u; j < 4u; j++) {
            block[j] = weight_channels(tap_start + min(n0 + 4u * s + j, params.n - 1u) * weight_stride, c);
          }
          for (var i = 0u; i < ROWS; i++) { sums[i][s] += values[i] * block; }
        }
      }
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    let at = places[i];
    // Phases that begin later may have a row or a column less.
    if (p0 + i >= pixels || at.x >= params.out_rows || at.y >= params.out_width) { continue; }
    let start = ((at.z * params.out_rows + at.x) * params.out_width + at.y) * params.out_channels + params.out_channel_0;
    for (var s = 0u; s < STRIPS; s++) {
      for (var j = 0u; j < 4u; j++) {
        let n = n0 + 4u * s + j;
        if (n >= params.n) { break; }
        var result = sums[i][s][j];
#if BIAS
        result += bias_1(params.out_channel_0 + n);
#endif
        out[params.out_base + start + n] = result;
      }
    }
  }
}
