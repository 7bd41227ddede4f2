// Reduces runs of axes, one part of the elements of one result per invocation. The result's index counts through the
// kept runs, the element's through the reduced ones.
//
// Variants:
//   KIND sum | max | min
//   CENTRE      terms are x - centre of their result: for means of large numbers, whose digits that spares
//   SQUARE      terms are squared: for the variance
//   ACCUMULATE  what the output holds already takes part: for operands in several windows

#include "common/grid.wgsl"
#include "common/nan.wgsl"
#include "common/operand.wgsl" NAME=x INDEX=1 FORMAT=X_FORMAT
#if CENTRE
@group(0) @binding(2) var<storage, read> centre: array<f32>;
#endif

#param WORKGROUP 64

struct Params {
  results: u32,
  parts: u32,  // of the elements of a result
  count: u32,  // elements of a result
  part: u32,   // elements of a part
  kept_sizes: array<vec4<u32>, 1>,      // of the kept runs of axes, the last counting fastest
  kept_strides: array<vec4<u32>, 1>,
  reduced_sizes: array<vec4<u32>, 1>,   // of the reduced ones
  reduced_strides: array<vec4<u32>, 1>,
  identity: f32, // what a sum, a maximum or a minimum begins with
  scale: f32,    // what the whole is multiplied by
  x_base: u32,
  centre_base: u32,
  out_base: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
// [parts, results]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

#if KIND == sum
fn combine(a: f32, b: f32) -> f32 { return a + b; }
#endif
#if KIND == max
fn combine(a: f32, b: f32) -> f32 { return select(max(a, b), a + b, is_nan(a) || is_nan(b)); }
#endif
#if KIND == min
fn combine(a: f32, b: f32) -> f32 { return select(min(a, b), a + b, is_nan(a) || is_nan(b)); }
#endif

// Where element `index` of runs of these sizes lies, the last run counting fastest.
fn offset_of(index: u32, sizes: vec4<u32>, strides: vec4<u32>) -> u32 {
  let z = index / sizes.w;
  let y = z / sizes.z;
  return dot(vec4(y / sizes.y, y, z, index) % sizes, strides);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP + local;
  if (index >= params.results * params.parts) { return; }
  let result = index % params.results;
  let base = params.x_base + offset_of(result, params.kept_sizes[0], params.kept_strides[0]);
#if CENTRE
  let middle = centre[params.centre_base + result];
#endif

  let inner = params.reduced_sizes[0].w;
  let stride = params.reduced_strides[0].w;
  var j = min(index / params.results * params.part, params.count);
  let end = min(j + params.part, params.count);
  var total = params.identity;
  while (j < end) {
    // One stretch of the innermost run; sums of stretches are added, so that long sums lose few digits.
    let length = min(min(end - j, inner - j % inner), 64u);
    var at = base + offset_of(j, params.reduced_sizes[0], params.reduced_strides[0]);
    var subtotal = params.identity;
    for (var k = 0u; k < length; k++) {
      var term = x_1(at);
#if CENTRE
      term -= middle;
#endif
#if SQUARE
      term *= term;
#endif
      subtotal = combine(subtotal, term);
      at += stride;
    }
    total = combine(total, subtotal);
    j += length;
  }

  total *= params.scale;
#if ACCUMULATE
  total = combine(out[params.out_base + index], total);
#endif
  out[params.out_base + index] = total;
}
