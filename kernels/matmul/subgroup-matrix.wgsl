// The `subgroup-matrix` variant of matmul.wgsl: tiles on matrix units, operands rounded to f16.
#include "common/subgroup-matrix.wgsl"
#include "matmul/tiles.wgsl"
