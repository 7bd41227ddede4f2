// The `subgroup-matrix` variant of conv.wgsl: tiles on matrix units, operands rounded to f16.
#include "common/subgroup-matrix.wgsl"
#include "conv/tiles.wgsl"
