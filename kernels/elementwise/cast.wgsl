// Conversion of element types, EACH times four elements per invocation. The result is made as bits, so that rounding
// is to the nearest with ties to even whatever the device does when it packs halves itself.

#include "common/grid.wgsl"
#include "common/nan.wgsl"
#if X_FORMAT == i32x4
@group(0) @binding(1) var<storage, read> x: array<vec4<i32>>;
fn x_4(i: u32) -> vec4<f32> { return vec4<f32>(x[i >> 2u]); }
#else
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#endif

#param WORKGROUP 64
#param EACH 1

struct Params {
  groups: u32,
  x_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;

#if OUT == f32
alias Words = vec4<u32>;
fn convert(v: vec4<f32>) -> Words { return bitcast<vec4<u32>>(v); }
#endif
#if OUT == i32
alias Words = vec4<u32>;
fn convert(v: vec4<f32>) -> Words {
  let inside = vec4<i32>(clamp(v, vec4(-2147483648.0), vec4(2147483520.0)));
  let bounded = select(inside, vec4(2147483647), v >= vec4(2147483648.0));
  return bitcast<vec4<u32>>(select(bounded, vec4(0), is_nan_4(v)));
}
#endif
#if OUT == f16
alias Words = vec2<u32>;
fn convert(v: vec4<f32>) -> Words {
  let bits = bitcast<vec4<u32>>(v);
  let magnitude = bits & vec4(0x7fffffffu);
  var half = (magnitude + 0xfffu + ((magnitude >> vec4(13u)) & vec4(1u)) - 0x38000000u) >> vec4(13u);
  // Below the smallest normal half: in units of 2^-24.
  let units = vec4<u32>(round(min(abs(v), vec4(1.0)) * 16777216.0));
  half = select(half, units, magnitude < vec4(0x38800000u));
  half = select(half, vec4(0x7c00u), magnitude >= vec4(0x477ff000u));
  half = select(half, vec4(0x7e00u), magnitude > vec4(0x7f800000u));
  half |= (bits >> vec4(16u)) & vec4(0x8000u);
  return half.xz | (half.yw << vec2(16u));
}
#endif
#if OUT == bf16
alias Words = vec2<u32>;
fn convert(v: vec4<f32>) -> Words {
  let bits = bitcast<vec4<u32>>(v);
  let rounded = (bits + 0x7fffu + ((bits >> vec4(16u)) & vec4(1u))) >> vec4(16u);
  let half = select(rounded, (bits >> vec4(16u)) | vec4(0x40u), is_nan_4(v));
  return half.xz | (half.yw << vec2(16u));
}
#endif
@group(0) @binding(2) var<storage, read_write> out: array<Words>;

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
  if (group_$n < params.groups) { out[params.out_base / 4u + group_$n] = convert(x_4(params.x_base + 4u * group_$n)); }
#end
}
