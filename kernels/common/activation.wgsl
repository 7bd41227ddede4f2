// The pointwise function of an epilogue; ACTIVATION says which. Keep in step with activations.ts.
#if ACTIVATION == none
fn activate(x: vec4<f32>) -> vec4<f32> { return x; }
#endif
#if ACTIVATION == silu
fn activate(x: vec4<f32>) -> vec4<f32> { return x / (1.0 + exp(-x)); }
#endif
#if ACTIVATION == relu
// Not max, which may turn NaN into 0.
fn activate(x: vec4<f32>) -> vec4<f32> { return select(x, vec4(0.0), x < vec4(0.0)); }
#endif
#if ACTIVATION == quick_gelu
fn activate(x: vec4<f32>) -> vec4<f32> { return x / (1.0 + exp(-1.702 * x)); }
#endif
#if ACTIVATION == gelu
#include "common/erf.wgsl"
fn activate(x: vec4<f32>) -> vec4<f32> { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
#endif
#if ACTIVATION == gelu_tanh
// tanh is clamped: beyond +-9 it is 1 in f32, and some drivers give NaN for large arguments.
fn activate(x: vec4<f32>) -> vec4<f32> {
  let t = clamp(0.7978845608028654 * (x + 0.044715 * x * x * x), vec4(-9.0), vec4(9.0));
  return 0.5 * x * (1.0 + tanh(t));
}
#endif
