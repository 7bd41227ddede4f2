// The derivative of x / (1 + exp(-SCALE x)). Include with SCALE.
#include "elementwise/exponential.wgsl"
fn slope_of_silu(x: vec4<f32>) -> vec4<f32> {
  let s = 1.0 / (1.0 + exp_exact(-$SCALE * x));
  return s + $SCALE * x * s * (1.0 - s);
}
