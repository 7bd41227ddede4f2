// Rotary position embedding: an invocation turns one pair of channels. There is one variant: memory is what it costs.

#include "common/grid.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT

#param WORKGROUP 64

struct Params {
  size: u32, // pairs of channels in these windows
  row_0: u32, // the first row's number in the whole
  positions: u32,
  channels: u32,
  pairs: u32, // of a head
  x_base: u32,
  out_base: u32,
  sign: f32, // -1 turns back
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> cosines: array<f32>;
@group(0) @binding(3) var<storage, read> sines: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  if (index >= params.size) { return; }
  let i = index % params.pairs;
  let head = index / params.pairs; // of all rows
  let row = head * params.pairs * 2u / params.channels;
  let angle = (params.row_0 + row) % params.positions * params.pairs + i;
  let c = cosines[angle];
  let s = sines[angle] * params.sign;
  let first = head * params.pairs * 2u + i;
  let a = x_1(params.x_base + first);
  let b = x_1(params.x_base + first + params.pairs);
  out[params.out_base + first] = a * c - b * s;
  out[params.out_base + first + params.pairs] = b * c + a * s;
}
