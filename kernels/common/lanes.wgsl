// Rows of a tile as LANES invocations load them, OWN rows each. Where they are a subgroup (SUBGROUP), and a workgroup
// of its own, every row is loaded by one lane and handed to the others: on CPU rasterisers a load is done lane by lane,
// wherever it goes, and takes as long as dozens of multiply-adds; a shuffle is one instruction. Include first: it
// enables an extension.
#if SUBGROUP
enable subgroups;
#endif

#param LANES 1
#param OWN 8

const ROWS = u32(OWN * LANES);

#if SUBGROUP
fn from_lane(lane: u32, value: vec4<f32>) -> vec4<f32> { return subgroupShuffle(value, lane); }
#else
fn from_lane(lane: u32, value: vec4<f32>) -> vec4<f32> { return value; }
#endif
