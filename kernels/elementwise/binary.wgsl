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
