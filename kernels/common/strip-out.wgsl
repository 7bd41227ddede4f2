// An f32 output written in strips (see strip.wgsl). Include with NAME and INDEX (its binding).
#if WIDTH == 4
@group(0) @binding($INDEX) var<storage, read_write> $NAME: array<vec4<f32>>;
fn store_$NAME(i: u32, value: vec4<f32>) { $NAME[i >> 2u] = value; }
#else
@group(0) @binding($INDEX) var<storage, read_write> $NAME: array<f32>;
fn store_$NAME(i: u32, value: vec4<f32>) { $NAME[i] = value.x; }
#endif
