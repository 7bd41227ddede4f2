// Sine and arctangent to f32 accuracy, from polynomials fitted at Chebyshev nodes; WGSL's own promise less.

// The sine of x plus so many right angles. x loses its own right angles in three parts of pi / 2, the first two short
// enough that their products are exact up to 2^15 right angles.
fn sine(x: vec4<f32>, right_angles: i32) -> vec4<f32> {
  let turns = round(x * 0.6366197723675814);
  let r = ((x - turns * 1.5703125) - turns * 0.00048351287841796875) - turns * 3.1391647326017846e-7;
  let z = r * r;
  let s = r + r * z * (-0.166666641831398 + z * (0.008332747966051102 - z * 0.00019587890710681677));
  let c = 1.0 - 0.5 * z + z * z * (0.0416666641831398 + z * (-0.001388830249197781 + z * 2.454794230288826e-5));
  let quadrant = vec4<i32>(turns) + right_angles;
  let value = select(s, c, (quadrant & vec4(1)) != vec4(0));
  return select(value, -value, (quadrant & vec4(2)) != vec4(0));
}

// The angle of the point (x, y). From the smaller over the larger coordinate, brought below tan(pi / 8).
fn angle(y: vec4<f32>, x: vec4<f32>) -> vec4<f32> {
  let low = min(abs(x), abs(y));
  let high = max(abs(x), abs(y));
  let steep = (low >= 0.41421356 * high) & (high > vec4(0.0));
  let quotient = select(low, low - high, steep) / select(high, low + high, steep);
  // Equal coordinates, at worst both zero or both infinite, have no quotient.
  let t = select(vec4(0.0), quotient, low < high);
  let z = t * t;
  var p = vec4(-0.06451927870512009);
  p = p * z + 0.10743731260299683;
  p = p * z - 0.14263956248760223;
  p = p * z + 0.19999539852142334;
  p = p * z - 0.3333333134651184;
  var result = t + t * z * p;
  result += select(vec4(0.0), vec4(0.7853981633974483), steep);
  result = select(result, 1.5707963267948966 - result, abs(y) > abs(x));
  // The signs by their bits: -0 is to the left, and below.
  let sign = vec4(0x80000000u);
  result = select(result, 3.141592653589793 - result, (bitcast<vec4<u32>>(x) & sign) != vec4(0u));
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(result) | (bitcast<vec4<u32>>(y) & sign));
}
