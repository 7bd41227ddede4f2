// Exponential and logarithms to f32 accuracy, infinities and NaN included: some drivers answer those with large
// numbers. Their bits come through a parameter, since WGSL refuses constants that are not finite.
fn from_bits(bits: u32) -> vec4<f32> { return vec4(bitcast<f32>(bits)); }

// The power of two whose exponent is k, in -126..127.
fn power_of_two(k: vec4<i32>) -> vec4<f32> { return bitcast<vec4<f32>>((k + vec4(127)) << vec4(23u)); }

// exp(x) = 2^k exp(r), |r| <= log(2) / 2: a polynomial fitted at Chebyshev nodes (largest relative error 1e-8). The two
// parts of log(2) keep r exact, and those of 2^k its halves in range. Beyond -104..89 the result is 0 or infinite.
fn exp_exact(x: vec4<f32>) -> vec4<f32> {
  let t = clamp(x, vec4(-104.0), vec4(89.0));
  let turns = round(t * 1.4426950408889634);
  let r = (t - turns * 0.693359375) + turns * 0.000212194440055;
  var p = vec4(0.0013926175888627768);
  p = p * r + 0.008363173343241215;
  p = p * r + 0.041666556149721146;
  p = p * r + 0.16666577756404877;
  p = p * r + 0.5;
  let k = vec4<i32>(turns);
  let half = k / 2;
  return select((1.0 + (r + r * r * p)) * power_of_two(half) * power_of_two(k - half), x, is_nan_4(x));
}

// What every logarithm gives at 0, below it, and for NaN.
fn with_poles(x: vec4<f32>, logarithm: vec4<f32>) -> vec4<f32> {
  let value = select(logarithm, from_bits(0xff800000u), x == vec4(0.0));
  return select(value, from_bits(0x7fc00000u), (x < vec4(0.0)) | is_nan_4(x));
}
fn log_exact(x: vec4<f32>) -> vec4<f32> { return with_poles(x, log(x)); }
fn log2_exact(x: vec4<f32>) -> vec4<f32> { return with_poles(x, log2(x)); }
