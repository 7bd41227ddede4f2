// The functions of two numbers; FUNCTION says which. Keep in step with functions.ts.
#if FUNCTION == add
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a + b; }
#endif
#if FUNCTION == sub
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a - b; }
#endif
#if FUNCTION == mul
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a * b; }
#endif
#if FUNCTION == div
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return a / b; }
#endif
#if FUNCTION == maximum
// b where it is NaN, since no comparison with it holds.
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(b, a, (a > b) | is_nan_4(a)); }
#endif
#if FUNCTION == minimum
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(b, a, (a < b) | is_nan_4(a)); }
#endif
#if FUNCTION == atan2
#include "elementwise/trigonometry.wgsl"
fn binary(y: vec4<f32>, x: vec4<f32>) -> vec4<f32> { return select(angle(y, x), x + y, is_nan_4(x) | is_nan_4(y)); }
#endif
// Derivatives of functions of a, or of their result a, times b.
#if FUNCTION == d_silu
#include "elementwise/slope-of-silu.wgsl" SCALE=1.0
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return b * slope_of_silu(a); }
#endif
#if FUNCTION == d_quick_gelu
#include "elementwise/slope-of-silu.wgsl" SCALE=1.702
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return b * slope_of_silu(a); }
#endif
#if FUNCTION == d_relu
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(vec4(0.0), b, a > vec4(0.0)); }
#endif
#if FUNCTION == d_gelu
#include "elementwise/exponential.wgsl"
#include "common/erf.wgsl"
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let integral = 0.5 * (1.0 + erf(a * 0.7071067811865476));
  return b * (integral + a * 0.3989422804014327 * exp_exact(-0.5 * a * a));
}
#endif
#if FUNCTION == d_gelu_tanh
#include "elementwise/exponential.wgsl"
// The hyperbolic tangent as 1 - 2 / (1 + exp(2 x)), since the built-in one is coarse on some drivers.
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  let inner = 0.7978845608028654 * a * (1.0 + 0.044715 * a * a);
  let t = 1.0 - 2.0 / (1.0 + exp_exact(2.0 * inner));
  let slope = 0.7978845608028654 * (1.0 + 0.134145 * a * a);
  return b * 0.5 * (1.0 + t + a * (1.0 - t * t) * slope);
}
#endif
#if FUNCTION == d_sigmoid
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return b * a * (1.0 - a); }
#endif
#if FUNCTION == d_tanh
fn binary(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return b * (1.0 - a * a); }
#endif
