// Four neighbouring channels of an operand whose rows hold params.channels of them; with C_TAIL that does not divide by
// four, and zeros stand beyond a row's end. Include after operand.wgsl, with the same NAME.
#if C_TAIL
fn $NAME_channels(row: u32, c: u32) -> vec4<f32> {
  var v = vec4(0.0);
  for (var j = 0u; j < 4u; j++) {
    if (c + j < params.channels) { v[j] = $NAME_1(row + c + j); }
  }
  return v;
}
#else
fn $NAME_channels(row: u32, c: u32) -> vec4<f32> { return $NAME_4(row + c); }
#endif
