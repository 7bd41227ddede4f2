// out = epilogue(convolution of x by weight), as a matrix product that is never laid out: its rows are output pixels, its
// columns output channels, and the sum runs over taps and input channels. One tile of ROWS x 4 STRIPS outputs per
// invocation, within one group of channels.
//
// Variants:
//   direct (this file)  operands straight from storage into registers; no workgroup memory, no barrier. Every load of four
//                       feeds 16 STRIPS or 4 ROWS multiply-adds. Right everywhere, and what CPU rasterisers want.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/operand.wgsl" NAME=weight INDEX=2 FORMAT=WEIGHT_FORMAT
#if BIAS
#include "common/operand.wgsl" NAME=bias INDEX=4 FORMAT=BIAS_FORMAT
#endif
#if SHIFT
#include "common/operand.wgsl" NAME=shift INDEX=5 FORMAT=SHIFT_FORMAT
#endif
#if RESIDUAL
#include "common/operand.wgsl" NAME=residual INDEX=6 FORMAT=RESIDUAL_FORMAT
#endif
#include "common/activation.wgsl"

#param ROWS 8
#param STRIPS 2
#param WORKGROUP 64

struct Params {
  pixels: u32,         // of the output, in this window
  out_frames: u32,
  out_height: u32,
  out_width: u32,
  groups: u32,         // in this window of the weight
  n: u32,              // output channels of a group in this window of the weight
  out_channels: u32,   // of the whole output
  out_channel_0: u32,  // where this window's begin in it
  x_frames: u32,       // of this window of x
  x_height: u32,
  x_width: u32,
  x_channels: u32,     // of all groups
  group_0: u32,
  channels: u32,       // of x in one group
  tap_frames: u32,     // taps of this window
  tap_height: u32,
  tap_width: u32,
  weight_stride: u32,  // elements between output channels of the weight
  stride: i32,
  first_frame: i32,    // where the first tap of the first output pixel falls in the window of x; negative in the padding
  first_row: i32,
  first_column: i32,
  batch_0: u32,
  shift_repeat: u32,   // batches that share a row of shift
  shift_0: u32,        // first row of shift in its window
  x_base: u32,
  weight_base: u32,
  out_base: u32,
  shift_base: u32,
  residual_base: u32,
  out_last: u32,       // last element of this window of the output
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// Channels c..c+3 of the pixel at `start`, zeros beyond the group's end.
fn x_four(start: u32, c: u32) -> vec4<f32> {
#if C_TAIL
  var v = vec4(0.0);
  for (var j = 0u; j < 4u; j++) {
    if (c + j < params.channels) { v[j] = x_1(start + c + j); }
  }
  return v;
#else
  return x_4(start + c);
#endif
}

// Channels c..c+3 of one tap for output channels n..n+3, one vector each. Beyond the edges the last is repeated: there x
// is zero, or nothing is stored.
fn weight_block(start: u32, c: u32, n: u32) -> mat4x4<f32> {
  var block: mat4x4<f32>;
  for (var i = 0u; i < 4u; i++) {
    let row = start + min(n + i, params.n - 1u) * params.weight_stride;
#if C_TAIL
    for (var j = 0u; j < 4u; j++) { block[i][j] = weight_1(row + min(c + j, params.channels - 1u)); }
#else
    block[i] = weight_4(row + c);
#endif
  }
  return block;
}

// What is added to output channels channel..channel+3 of a batch before the activation.
fn added_four(batch: u32, channel: u32) -> vec4<f32> {
  var v = vec4(0.0);
#if BIAS
  for (var j = 0u; j < 4u; j++) { v[j] += bias_1(min(channel + j, params.out_channels - 1u)); }
#endif
#if SHIFT
  let row = params.shift_base + ((params.batch_0 + batch) / params.shift_repeat - params.shift_0) * params.out_channels;
  for (var j = 0u; j < 4u; j++) { v[j] += shift_1(row + min(channel + j, params.out_channels - 1u)); }
#endif
  return v;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let tiles_n = (params.n + 4u * STRIPS - 1u) / (4u * STRIPS);
  let tiles_p = (params.pixels + ROWS - 1u) / ROWS;
  let tile = workgroup_index(group, groups) * WORKGROUP + local;
  let g = tile / (tiles_n * tiles_p);
  if (g >= params.groups) { return; }
  let p0 = (tile / tiles_n) % tiles_p * ROWS;
  let n0 = tile % tiles_n * 4u * STRIPS;
  let extent = vec3<i32>(vec3(params.x_frames, params.x_height, params.x_width));

  // Frame, row and column of each pixel's first tap in the window of x, and its batch.
  var corners: array<vec4<i32>, ROWS>;
  for (var i = 0u; i < ROWS; i++) {
    let p = min(p0 + i, params.pixels - 1u);
    let row = p / params.out_width;
    let frame = row / params.out_height;
    corners[i] = vec4(
      i32(frame % params.out_frames) + params.first_frame,
      i32(row % params.out_height) * params.stride + params.first_row,
      i32(p % params.out_width) * params.stride + params.first_column,
      i32(frame / params.out_frames),
    );
  }

  var sums: array<array<vec4<f32>, STRIPS>, ROWS>;
  var tap_start = params.weight_base + g * params.n * params.weight_stride;
  for (var df = 0u; df < params.tap_frames; df++) {
    for (var dy = 0u; dy < params.tap_height; dy++) {
      for (var dx = 0u; dx < params.tap_width; dx++) {
        // A tap outside the picture reads the window's first pixel and counts as zero, so that all go the same way.
        var starts: array<u32, ROWS>;
        var inside: array<bool, ROWS>;
        for (var i = 0u; i < ROWS; i++) {
          let at = corners[i].xyz + vec3<i32>(vec3(df, dy, dx));
          inside[i] = all(at >= vec3(0)) && all(at < extent);
          let pixel = ((corners[i].w * extent.x + at.x) * extent.y + at.y) * extent.z + at.z;
          starts[i] = params.x_base + u32(select(0, pixel, inside[i])) * params.x_channels
            + (params.group_0 + g) * params.channels;
        }
        for (var c = 0u; c < params.channels; c += 4u) {
          var pixels: array<vec4<f32>, ROWS>;
          for (var i = 0u; i < ROWS; i++) { pixels[i] = select(vec4(0.0), x_four(starts[i], c), inside[i]); }
          for (var s = 0u; s < STRIPS; s++) {
            let block = weight_block(tap_start, c, n0 + 4u * s);
            for (var i = 0u; i < ROWS; i++) { sums[i][s] += pixels[i] * block; }
          }
        }
        tap_start += params.channels;
      }
    }
  }

  for (var s = 0u; s < STRIPS; s++) {
    let n = n0 + 4u * s;
    let channel = params.out_channel_0 + g * params.n + n;
    for (var i = 0u; i < ROWS; i++) {
      if (p0 + i >= params.pixels) { break; }
      let start = (p0 + i) * params.out_channels + channel;
#if ACCUMULATE
      for (var j = 0u; j < 4u; j++) { sums[i][s][j] += out[params.out_base + min(start + j, params.out_last)]; }
#endif
      let v = activate(sums[i][s] + added_four(u32(corners[i].w), channel));
      for (var j = 0u; j < 4u; j++) {
        if (n + j >= params.n) { break; }
        var result = v[j];
#if RESIDUAL
        result += residual_1(params.residual_base + start + j);
#endif
        out[params.out_base + start + j] = result;
      }
    }
  }
}
