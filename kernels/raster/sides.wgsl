// Sides of edges, in whole numbers: steps of a pixel of up to 2^25 either way. A product of two differences takes 53
// bits, so it is kept in limbs of 13 bits.

const LIMB = 13u;
const LIMB_MASK = 8191;

// (x 2^13 + y) 2^13 + z, with y and z in 0..8191: negative as x is.
struct Side { limbs: vec3<i32> }

// Twice the area of from, to and a point: above 0 on the right hand, as pixels go down.
fn side_of(origin: vec2<i32>, to: vec2<i32>, point: vec2<i32>) -> Side {
  let along = to - origin;
  let over = point - origin;
  let along_high = along >> vec2(LIMB);
  let along_low = along & vec2(LIMB_MASK);
  let over_high = over >> vec2(LIMB);
  let over_low = over & vec2(LIMB_MASK);
  var high = along_high.x * over_high.y - along_high.y * over_high.x;
  var middle = along_high.x * over_low.y + along_low.x * over_high.y
    - along_high.y * over_low.x - along_low.y * over_high.x;
  var low = along_low.x * over_low.y - along_low.y * over_low.x;
  middle += low >> LIMB;
  low &= LIMB_MASK;
  high += middle >> LIMB;
  middle &= LIMB_MASK;
  return Side(vec3(high, middle, low));
}

fn is_zero(side: Side) -> bool { return all(side.limbs == vec3(0)); }

fn is_negative(side: Side) -> bool { return side.limbs.x < 0; }

fn float_of(side: Side) -> f32 {
  return (f32(side.limbs.x) * 8192.0 + f32(side.limbs.y)) * 8192.0 + f32(side.limbs.z);
}
