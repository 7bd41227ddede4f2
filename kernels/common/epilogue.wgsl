// How sums of products become outputs: a family's `finish` takes what earlier parts left, adds what it adds, activates
// and stores. Include beside the binding `out` and params.out_base, params.out_last and params.residual_base, with the
// defines ACCUMULATE, ACTIVATION and RESIDUAL.
#if RESIDUAL
#include "common/operand.wgsl" NAME=residual INDEX=6 FORMAT=RESIDUAL_FORMAT
#endif
#include "common/activation.wgsl"

// What earlier parts of the sums left at the four outputs from `start`; zeros unless sums are made in parts.
fn sums_before(start: u32) -> vec4<f32> {
  var v = vec4(0.0);
#if ACCUMULATE
#for j in 4
  v[$j] = out[params.out_base + min(start + $j, params.out_last)];
#end
#endif
  return v;
}

// Stores the first `count` values, at most four, from `start` on, the residual added.
fn store_four(start: u32, count: u32, values: vec4<f32>) {
#for j in 4
  if (count > $j) {
#if RESIDUAL
    out[params.out_base + start + $j] = values[$j] + residual_1(params.residual_base + start + $j);
#else
    out[params.out_base + start + $j] = values[$j];
#endif
  }
#end
}
