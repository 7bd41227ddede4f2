// out = transposed convolution of x by weight + bias, gathered: each output sums over the input pixels that paint it.
// The output falls into stride x stride phases, whose pixels lie `stride` apart and meet the same taps of the kernel:
// within a phase it is a plain convolution with stride 1. One tile of ROWS pixels of a phase x 4 STRIPS channels per
// invocation.
//
// One variant, right everywhere and what CPU rasterisers want: operands straight from storage into registers; no
// workgroup memory, no barrier. Every load of four feeds 16 STRIPS or 4 ROWS multiply-adds. #for spells out what a loop
// could not, since drivers keep in memory what is indexed by a variable.

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

// Of a phase in the window of the output: how many of its pixels there may be, down and across.
fn phase_size() -> vec2<u32> { return (vec2(params.out_rows, params.out_width) + params.stride - 1u) / params.stride; }

// Where pixel p of a phase lies in the window of the output: row, column, batch. Beyond the last it is repeated.
fn place_of(p: u32, phase: vec2<u32>) -> vec3<u32> {
  let size = phase_size();
  let pixel = min(p, params.batch * size.x * size.y - 1u);
  let row = pixel / size.y;
  return vec3(vec2(row % size.x, pixel % size.y) * params.stride + phase, row / size.x);
}

// Row and column in the window of x of the pixel that a place's first tap meets, and its batch.
fn corner_of(place: vec3<u32>) -> vec3<i32> {
  let met = (place.xy + vec2(params.first_row, params.first_column)) / params.stride;
  return vec3(vec2<i32>(met) - vec2(i32(params.x_row), 0), i32(place.z));
}

// Where the pixel begins that lies so many rows and columns before a corner. One outside the picture reads the window's
// first pixel and counts as zero, so that all go the same way.
struct Seen {
  start: u32,
  inside: bool,
}
fn seen_by(back: vec2<u32>, corner: vec3<i32>) -> Seen {
  let extent = vec2<i32>(vec2(params.rows, params.width));
  let at = corner.xy - vec2<i32>(back);
  let inside = all(at >= vec2(0)) && all(at < extent);
  let pixel = (corner.z * extent.x + at.x) * extent.y + at.y;
  return Seen(params.x_base + u32(select(0, pixel, inside)) * params.channels, inside);
}

// The weight at a tap for output channels n..n+3, one vector of channels c..c+3 each; beyond the last it is repeated,
// and nothing is stored.
fn weight_block(tap_start: u32, c: u32, n: u32) -> mat4x4<f32> {
  let weight_stride = params.kernel_height * params.kernel_width * params.channels;
  var block: mat4x4<f32>;
#for j in 4
  block[$j] = weight_channels(tap_start + min(n + $j, params.n - 1u) * weight_stride, c);
#end
  return block;
}

// Stores output channels n..n+3 of a place. Phases that begin later may have a row or a column less than others.
fn finish(place: vec3<u32>, n: u32, sums: vec4<f32>) {
  if (place.x >= params.out_rows || place.y >= params.out_width) { return; }
  let pixel = (place.z * params.out_rows + place.x) * params.out_width + place.y;
  let start = pixel * params.out_channels + params.out_channel_0;
  for (var j = 0u; j < 4u; j++) {
    if (n + j >= params.n) { break; }
    var result = sums[j];
#if BIAS
    result += bias_1(params.out_channel_0 + n + j);
#endif
    out[params.out_base + start + n + j] = result;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let stride = params.stride;
  let pixels = params.batch * phase_size().x * phase_size().y;
  let tiles_n = (params.n + 4u * STRIPS - 1u) / (4u * STRIPS);
  let tiles_p = (pixels + ROWS - 1u) / ROWS;
  let tile = workgroup_index(group, groups) * WORKGROUP + local;
  let phase_index = tile / (tiles_n * tiles_p);
  if (phase_index >= stride * stride) { return; }
  let phase = vec2(phase_index / stride, phase_index % stride);
  let p0 = (tile / tiles_n) % tiles_p * ROWS;
  let n0 = tile % tiles_n * 4u * STRIPS;

#for i in ROWS
  let place_$i = place_of(p0 + $i, phase);
  let corner_$i = corner_of(place_$i);
#end
  var sums: array<array<vec4<f32>, STRIPS>, ROWS>;
  let first_tap = (phase + vec2(params.first_row, params.first_column)) % stride;
  for (var dy = 0u; first_tap.x + dy * stride < params.kernel_height; dy++) {
    for (var dx = 0u; first_tap.y + dx * stride < params.kernel_width; dx++) {
#for i in ROWS
      let seen_$i = seen_by(vec2(dy, dx), corner_$i);
#end
      let tap = (first_tap.x + dy * stride) * params.kernel_width + first_tap.y + dx * stride;
      let tap_start = params.weight_base + tap * params.channels;
      for (var c = 0u; c < params.channels; c += 4u) {
#for i in ROWS
        let values_$i = select(vec4(0.0), x_channels(seen_$i.start, c), seen_$i.inside);
#end
#for s in STRIPS
        let block_$s = weight_block(tap_start, c, n0 + 4u * $s);
#for i in ROWS
        sums[$i][$s] += values_$i * block_$s;
#end
#end
      }
    }
  }

#for i in ROWS
  if (p0 + $i < pixels) {
#for s in STRIPS
    finish(place_$i, n0 + 4u * $s, sums[$i][$s]);
#end
  }
#end
}
