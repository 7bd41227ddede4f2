// out = FUNCTION(a), (a, b) or (a, b, c), EACH times four elements along the innermost axis per invocation.
//
// Variants, for each of the operands and the output:
//   FOUR       groups of four are contiguous and aligned: one load or store
//   otherwise  one by one, at any stride: repeated operands, rows of odd length

#include "common/box.wgsl"
#include "common/nan.wgsl"
#include "elementwise/load.wgsl" NAME=a INDEX=1 FORMAT=A_FORMAT FOUR=A_FOUR COMPONENT=y
#if ARITY == 1
#include "elementwise/unary.wgsl"
#endif
#if ARITY == 2
#include "elementwise/load.wgsl" NAME=b INDEX=2 FORMAT=B_FORMAT FOUR=B_FOUR COMPONENT=z
#include "elementwise/binary.wgsl"
#endif
#if ARITY == 3
#include "elementwise/load.wgsl" NAME=b INDEX=2 FORMAT=B_FORMAT FOUR=B_FOUR COMPONENT=z
#include "elementwise/load.wgsl" NAME=c INDEX=3 FORMAT=C_FORMAT FOUR=C_FOUR COMPONENT=w
#endif

struct Params {
#include "common/box-params.wgsl"
  constants: array<vec4<f32>, 1>, // of the unary functions that take some
}
@group(0) @binding(0) var<uniform> params: Params;
#if OUT_FOUR
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;
#else
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
#endif

#if FUNCTION == where
fn blend(condition: vec4<f32>, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(b, a, condition > vec4(0.0)); }
#endif
#if FUNCTION == mix
fn blend(a: vec4<f32>, b: vec4<f32>, weight: vec4<f32>) -> vec4<f32> { return weight * a + (1.0 - weight) * b; }
#endif

fn visit(group: Group) {
#if ARITY == 1
  let result = unary(a_group(group));
#endif
#if ARITY == 2
  let result = binary(a_group(group), b_group(group));
#endif
#if ARITY == 3
  let result = blend(a_group(group), b_group(group), c_group(group));
#endif
#if OUT_FOUR
  out[group.at.x >> 2u] = result;
#else
  for (var j = 0u; j < group.count; j++) { out[group.at.x + j * params.steps[0].x] = result[j]; }
#endif
}
