// Running sums along every line, one per invocation.

#include "reduce/line.wgsl"

@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn visit(line: u32, lane: u32) {
  let first = first_of(line);
  // The sum of stretches before, and of this one so far: long sums lose fewer digits so.
  var before = 0.0;
  var total = 0.0;
  for (var n = 0u; n < params.length; n++) {
    if (n % 256u == 0u) {
      before += total;
      total = 0.0;
    }
    let i = first + n * params.inner;
    total += x_1(params.x_base + i);
    out[params.out_base + i] = before + total;
  }
}
