// What every variant of convolution has in common: its operands, how four channels or a block of weights are read
// wherever the edges are, and how four outputs are finished.

#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#include "common/channels.wgsl" NAME=x
#include "common/operand.wgsl" NAME=weight INDEX=2 FORMAT=WEIGHT_FORMAT
#if BIAS
#include "common/operand.wgsl" NAME=bias INDEX=4 FORMAT=BIAS_FORMAT
#endif
#if SHIFT
#include "common/operand.wgsl" NAME=shift INDEX=5 FORMAT=SHIFT_FORMAT
#endif

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
  first_frame: i32,    // where the first tap of the first output pixel falls in the window of x;
  first_row: i32,      // negative in the padding
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
#include "common/epilogue.wgsl"

// Frame, row and column of an output pixel's first tap in the window of x, and its batch. Beyond the last pixel the
// last is repeated.
fn corner_of(pixel: u32) -> vec4<i32> {
  let p = min(pixel, params.pixels - 1u);
  let row = p / params.out_width;
  let frame = row / params.out_height;
  return vec4(
    i32(frame % params.out_frames) + params.first_frame,
    i32(row % params.out_height) * params.stride + params.first_row,
    i32(p % params.out_width) * params.stride + params.first_column,
    i32(frame / params.out_frames),
  );
}

// What a tap sees from a corner: where the pixel's channels of group g begin. A tap outside the picture reads the
// window's first pixel and counts as zero, so that all go the same way.
struct Seen {
  start: u32,
  inside: bool,
}
fn seen_by(tap: vec3<u32>, corner: vec4<i32>, g: u32) -> Seen {
  let extent = vec3<i32>(vec3(params.x_frames, params.x_height, params.x_width));
  let at = corner.xyz + vec3<i32>(tap);
  let inside = all(at >= vec3(0)) && all(at < extent);
  let pixel = ((corner.w * extent.x + at.x) * extent.y + at.y) * extent.z + at.z;
  return Seen(
    params.x_base + u32(select(0, pixel, inside)) * params.x_channels + (params.group_0 + g) * params.channels, inside,
  );
}

// Channels c..c+3 of one tap for output channel n: zeros beyond the last channel, as in x, since infinity times zero
// would be NaN. Beyond the last output channel it is repeated, and nothing is stored.
fn weight_four(start: u32, c: u32, n: u32) -> vec4<f32> {
  let row = start + min(n, params.n - 1u) * params.weight_stride;
#if C_TAIL
  let last = params.channels - 1u;
  let four = vec4(
    weight_1(row + c), weight_1(row + min(c + 1u, last)), weight_1(row + min(c + 2u, last)),
    weight_1(row + min(c + 3u, last)),
  );
  return select(vec4(0.0), four, c + vec4(0u, 1u, 2u, 3u) <= vec4(last));
#else
  return weight_4(row + c);
#endif
}

// For output channels n..n+3, one vector each.
fn weight_block(start: u32, c: u32, n: u32) -> mat4x4<f32> {
  return mat4x4(
    weight_four(start, c, n),
    weight_four(start, c, n + 1u),
    weight_four(start, c, n + 2u),
    weight_four(start, c, n + 3u),
  );
}

// What is added to output channels channel..channel+3 of a batch before the activation.
fn added_four(batch: u32, channel: u32) -> vec4<f32> {
  var v = vec4(0.0);
#if BIAS
#for j in 4
  v[$j] += bias_1(min(channel + $j, params.out_channels - 1u));
#end
#endif
#if SHIFT
  let row = params.shift_base + ((params.batch_0 + batch) / params.shift_repeat - params.shift_0) * params.out_channels;
#for j in 4
  v[$j] += shift_1(row + min(channel + $j, params.out_channels - 1u));
#end
#endif
  return v;
}

// Outputs n..n+3 of group g of a pixel, from their sums.
fn finish(pixel: u32, g: u32, n: u32, sums: vec4<f32>) {
  if (n >= params.n) { return; }
  let batch = pixel / (params.out_width * params.out_height * params.out_frames);
  let channel = params.out_channel_0 + g * params.n + n;
  let start = pixel * params.out_channels + channel;
  store_four(start, params.n - n, activate(sums_before(start) + sums + added_four(batch, channel)));
}
