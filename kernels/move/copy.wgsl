// out[base + i . strides] = x[base + i . strides], or one word for all, over a box of indices; EACH times four along
// the innermost axis per invocation. Whatever the words mean, their bits stay.
//
// Variants:
//   FOUR    groups of four are contiguous and aligned on both sides: one load, one store
//   TURNED  they are so along one axis of x and another of the output: blocks of four by four are turned in registers
//   FILL    a word instead of x

#include "common/box.wgsl"

struct Params {
#include "common/box-params.wgsl"
  fill: u32, // with FILL, the word
  turn: u32, // with TURNED, from one row of a block to the next in the output
}
@group(0) @binding(0) var<uniform> params: Params;
#if WIDE
alias Unit = vec4<u32>;
#else
alias Unit = u32;
#endif
@group(0) @binding(1) var<storage, read_write> out: array<Unit>;
#if FILL
fn load(i: u32) -> Unit { return Unit(params.fill); }
#else
@group(0) @binding(2) var<storage, read> x: array<Unit>;
fn load(i: u32) -> Unit { return x[i]; }
#endif

fn visit(group: Group) {
#if TURNED
#for j in 4
  let x_$j = load((group.at.y + $j * params.steps[0].y) >> 2u);
#end
#for i in 4
  out[(group.at.x + $i * params.turn) >> 2u] = vec4(x_0[$i], x_1[$i], x_2[$i], x_3[$i]);
#end
#else
#if FOUR
  out[group.at.x >> 2u] = load(group.at.y >> 2u);
#else
#for j in 4
  if (group.count > $j) { out[group.at.x + $j * params.steps[0].x] = load(group.at.y + $j * params.steps[0].y); }
#end
#endif
#endif
}
