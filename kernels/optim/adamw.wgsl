// One step of AdamW, EACH times four elements per invocation.

#include "common/grid.wgsl"

#param WORKGROUP 64
#param EACH 1

struct Params {
  groups: u32,
  gradient_base: u32,
  parameter_base: u32,
  mean_base: u32,
  square_base: u32,
  beta1: f32,
  beta2: f32,
  rest1: f32, // 1 - beta1, which loses digits in f32
  rest2: f32,
  eps: f32,
  weight_decay: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> rates: array<f32>;
#if SCALED
@group(0) @binding(3) var<storage, read> scale: array<f32>;
fn factor() -> f32 { return scale[0]; }
#else
fn factor() -> f32 { return 1.0; }
#endif
@group(0) @binding(4) var<storage, read_write> parameter: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> square: array<vec4<f32>>;

fn take_step(group: u32) {
  let at_mean = params.mean_base / 4u + group;
  let at_square = params.square_base / 4u + group;
  let at_parameter = params.parameter_base / 4u + group;
  let g = gradient[params.gradient_base / 4u + group] * factor();
  let m = params.beta1 * mean[at_mean] + params.rest1 * g;
  let v = params.beta2 * square[at_square] + params.rest2 * g * g;
  mean[at_mean] = m;
  square[at_square] = v;
  let kept = parameter[at_parameter] * (1.0 - rates[0] * params.weight_decay);
  parameter[at_parameter] = kept - rates[1] * m / (sqrt(v) * rates[2] + params.eps);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let first = workgroup_index(workgroup, workgroups) * (WORKGROUP * EACH) + local;
  // Memory is padded to whole groups, so the last one needs no care.
#for n in EACH
  let group_$n = first + $n * WORKGROUP;
  if (group_$n < params.groups) { take_step(group_$n); }
#end
}
