// Four neighbouring channels of an operand at once where their number divides by four (WIDTH 4), else one, repeated in
// all components (WIDTH 1). Include after operand.wgsl, with the same NAME.
#if WIDTH == 4
fn $NAME_strip(i: u32) -> vec4<f32> { return $NAME_4(i); }
#else
fn $NAME_strip(i: u32) -> vec4<f32> { return vec4($NAME_1(i)); }
#endif
