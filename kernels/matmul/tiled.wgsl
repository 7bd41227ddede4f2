// The `tiled` variant of matmul.wgsl: tiles of 64 rows by 64 STRIPS columns on ordinary arithmetic.
#include "common/tile.wgsl"
#include "matmul/tiles.wgsl"
