// An operand of any float format behind two functions. Include with NAME, INDEX (its binding) and FORMAT (a define that
// says how it is stored: f32, f16 or bf16 elements, with x4 when every access of four is aligned to four).
//   NAME_1(i)  element i
//   NAME_4(i)  elements i..i+3
#if $FORMAT == f32x4
@group(0) @binding($INDEX) var<storage, read> $NAME: array<vec4<f32>>;
fn $NAME_1(i: u32) -> f32 { return $NAME[i >> 2u][i & 3u]; }
fn $NAME_4(i: u32) -> vec4<f32> { return $NAME[i >> 2u]; }
#endif
#if $FORMAT == f16x4
@group(0) @binding($INDEX) var<storage, read> $NAME: array<vec2<u32>>;
fn $NAME_1(i: u32) -> f32 { return unpack2x16float($NAME[i >> 2u][(i >> 1u) & 1u])[i & 1u]; }
fn $NAME_4(i: u32) -> vec4<f32> {
  let bits = $NAME[i >> 2u];
  return vec4(unpack2x16float(bits.x), unpack2x16float(bits.y));
}
#endif
#if $FORMAT == bf16x4
@group(0) @binding($INDEX) var<storage, read> $NAME: array<vec2<u32>>;
fn $NAME_1(i: u32) -> f32 { return bitcast<f32>(($NAME[i >> 2u][(i >> 1u) & 1u] >> (16u * (i & 1u))) << 16u); }
fn $NAME_4(i: u32) -> vec4<f32> {
  let bits = $NAME[i >> 2u];
  return bitcast<vec4<f32>>(vec4(bits.x << 16u, bits.x & 0xffff0000u, bits.y << 16u, bits.y & 0xffff0000u));
}
#endif
#if $FORMAT == f32
@group(0) @binding($INDEX) var<storage, read> $NAME: array<f32>;
fn $NAME_1(i: u32) -> f32 { return $NAME[i]; }
fn $NAME_4(i: u32) -> vec4<f32> { return vec4($NAME[i], $NAME[i + 1u], $NAME[i + 2u], $NAME[i + 3u]); }
#endif
#if $FORMAT == f16
@group(0) @binding($INDEX) var<storage, read> $NAME: array<u32>;
fn $NAME_1(i: u32) -> f32 { return unpack2x16float($NAME[i >> 1u])[i & 1u]; }
fn $NAME_4(i: u32) -> vec4<f32> { return vec4($NAME_1(i), $NAME_1(i + 1u), $NAME_1(i + 2u), $NAME_1(i + 3u)); }
#endif
#if $FORMAT == bf16
@group(0) @binding($INDEX) var<storage, read> $NAME: array<u32>;
fn $NAME_1(i: u32) -> f32 { return bitcast<f32>(($NAME[i >> 1u] >> (16u * (i & 1u))) << 16u); }
fn $NAME_4(i: u32) -> vec4<f32> { return vec4($NAME_1(i), $NAME_1(i + 1u), $NAME_1(i + 2u), $NAME_1(i + 3u)); }
#endif
