// The place of the largest (SIGN 1) or smallest (SIGN -1) element of every line, one per invocation: the first of
// equals, or the first NaN.

#include "common/nan.wgsl"
#include "reduce/line.wgsl"

#param SIGN 1

@group(0) @binding(2) var<storage, read_write> out: array<i32>;

fn visit(line: u32, lane: u32) {
  let first = params.x_base + first_of(line);
  var best = SIGN * x_1(first);
  var place = 0u;
  for (var n = 1u; n < params.length && !is_nan(best); n++) {
    let value = SIGN * x_1(first + n * params.inner);
    if (value > best || is_nan(value)) {
      best = value;
      place = n;
    }
  }
  out[params.out_base + line] = i32(place);
}
