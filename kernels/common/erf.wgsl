// The error function to f32 accuracy: a polynomial in x^2 up to 1, and 1 - exp(-x^2) P(1 / (1 + x/2)) above; both
// fitted at Chebyshev nodes (largest relative error 1.7e-7).
fn erf(x: vec4<f32>) -> vec4<f32> {
  let a = min(abs(x), vec4(4.0));
  let s = a * a;
  var p = vec4(7.875874871388078e-5);
  p = p * s - 0.000801686430349946;
  p = p * s + 0.005189087241888046;
  p = p * s - 0.02685421146452427;
  p = p * s + 0.11283594369888306;
  p = p * s - 0.3761262595653534;
  p = p * s + 1.1283791065216064;
  let t = 1.0 / (1.0 + 0.5 * a);
  var q = vec4(0.12085243314504623);
  q = q * t - 0.47652527689933777;
  q = q * t + 0.5712651610374451;
  q = q * t - 0.11020829528570175;
  q = q * t + 0.3510303199291229;
  q = q * t + 0.25875136256217957;
  q = q * t + 0.28506162762641907;
  q = q * t - 0.00016423639317508787;
  return sign(x) * select(1.0 - exp(-s) * q, a * p, a < vec4(1.0));
}
