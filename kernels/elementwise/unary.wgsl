// The functions of one number; FUNCTION says which. Keep in step with functions.ts. Where WGSL promises less than f32
// accuracy (sin, cos, tanh, exp) the functions are our own.
#include "elementwise/exponential.wgsl"
#if ACTIVATION
#include "common/activation.wgsl"
fn unary(x: vec4<f32>) -> vec4<f32> { return activate(x); }
#endif
#if FUNCTION == sigmoid
fn unary(x: vec4<f32>) -> vec4<f32> { return 1.0 / (1.0 + exp_exact(-x)); }
#endif
#if FUNCTION == softplus
// log(1 + z) = 2 atanh(z / (2 + z)), a polynomial (largest relative error 2e-8).
fn unary(x: vec4<f32>) -> vec4<f32> {
  let z = exp_exact(-abs(x));
  let s = z / (2.0 + z);
  let w = s * s;
  var p = vec4(0.2685149908065796);
  p = p * w + 0.28236618638038635;
  p = p * w + 0.40007561445236206;
  p = p * w + 0.6666663885116577;
  return select(max(x, vec4(0.0)) + (2.0 * s + s * w * p), x, is_nan_4(x));
}
#endif
#if FUNCTION == tanh
// An odd polynomial near 0 (largest relative error 6e-8), exponentials beyond.
fn unary(x: vec4<f32>) -> vec4<f32> {
  let w = x * x;
  var p = vec4(0.017988745123147964);
  p = p * w - 0.0533871091902256;
  p = p * w + 0.13330475986003876;
  p = p * w - 0.3333331048488617;
  let e = exp(-2.0 * abs(x));
  let far = sign(x) * (1.0 - e) / (1.0 + e);
  return select(far, x + x * w * p, abs(x) < vec4(0.5));
}
#endif
#if FUNCTION == erf
#include "common/erf.wgsl"
fn unary(x: vec4<f32>) -> vec4<f32> { return select(erf(x), x, is_nan_4(x)); }
#endif
#if FUNCTION == sin
#include "elementwise/trigonometry.wgsl"
fn unary(x: vec4<f32>) -> vec4<f32> { return sine(x, 0); }
#endif
#if FUNCTION == cos
#include "elementwise/trigonometry.wgsl"
fn unary(x: vec4<f32>) -> vec4<f32> { return sine(x, 1); }
#endif
#if FUNCTION == exp
fn unary(x: vec4<f32>) -> vec4<f32> { return exp_exact(x); }
#endif
#if FUNCTION == log
fn unary(x: vec4<f32>) -> vec4<f32> { return log_exact(x); }
#endif
#if FUNCTION == log2
fn unary(x: vec4<f32>) -> vec4<f32> { return log2_exact(x); }
#endif
#if FUNCTION == sqrt
fn unary(x: vec4<f32>) -> vec4<f32> { return sqrt(x); }
#endif
#if FUNCTION == rsqrt
fn unary(x: vec4<f32>) -> vec4<f32> { return inverseSqrt(x); }
#endif
#if FUNCTION == reciprocal
fn unary(x: vec4<f32>) -> vec4<f32> { return 1.0 / x; }
#endif
#if FUNCTION == square
fn unary(x: vec4<f32>) -> vec4<f32> { return x * x; }
#endif
#if FUNCTION == neg
fn unary(x: vec4<f32>) -> vec4<f32> { return -x; }
#endif
#if FUNCTION == abs
fn unary(x: vec4<f32>) -> vec4<f32> { return abs(x); }
#endif
#if FUNCTION == sign
fn unary(x: vec4<f32>) -> vec4<f32> {
  let zero = vec4(0.0);
  let one = vec4(1.0);
  return select(zero, one, x > zero) - select(zero, one, x < zero);
}
#endif
#if FUNCTION == floor
fn unary(x: vec4<f32>) -> vec4<f32> { return floor(x); }
#endif
#if FUNCTION == ceil
fn unary(x: vec4<f32>) -> vec4<f32> { return ceil(x); }
#endif
#if FUNCTION == round
fn unary(x: vec4<f32>) -> vec4<f32> { return round(x); }
#endif
#if FUNCTION == clamp
fn unary(x: vec4<f32>) -> vec4<f32> {
  return select(min(max(x, vec4(params.constants[0].x)), vec4(params.constants[0].y)), x, is_nan_4(x));
}
#endif
#if FUNCTION == pow
// Of the magnitude; the second constant is the result's sign for negative x, or NaN. -0 counts as negative where the
// exponent is odd.
fn unary(x: vec4<f32>) -> vec4<f32> {
  let exponent = params.constants[0].x;
  let power = exponent * log2_exact(abs(x));
  let magnitude = select(select(exp2(power), power, is_nan_4(power)), vec4(1.0), vec4(exponent == 0.0));
  let sign = params.constants[0].y;
  let negative = (x < vec4(0.0)) | ((bitcast<vec4<u32>>(x) > vec4(0x7fffffffu)) & vec4(sign < 0.0));
  return magnitude * select(vec4(1.0), vec4(sign), negative);
}
#endif
#if FUNCTION == affine
fn unary(x: vec4<f32>) -> vec4<f32> { return x * params.constants[0].x + params.constants[0].y; }
#endif
