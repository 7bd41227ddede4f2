// The fields of Params that box.wgsl reads and boxes.ts fills. Include inside the struct.
  runs: u32,                    // in the box
  runs_per_row: u32,            // along the innermost axis
  columns: u32,                 // elements along the innermost axis
  sizes: array<vec4<u32>, 2>,   // of the other axes, from the innermost outwards
  strides: array<vec4<u32>, 5>, // of those; negative ones wrap around, as u32 arithmetic does
  steps: array<vec4<u32>, 1>,   // strides of the innermost axis
  bases: array<vec4<u32>, 1>,   // where the box begins
