// The `tiled` variant of conv.wgsl: tiles of 64 pixels by 64 STRIPS channels on ordinary arithmetic.
#include "common/tile.wgsl"
#include "conv/tiles.wgsl"
