// A walk through a box of indices, in groups of four along its innermost axis. Component 0 of every vector belongs to the
// output, 1 to 3 to the operands. boxes.ts is the host side; the including file's Params has these fields:
//   groups: u32                     groups in the box
//   columns: u32                    elements along the innermost axis
//   axes: u32                       the other axes
//   sizes: array<vec4<u32>, 2>      of those, from the innermost outwards
//   strides: array<vec4<u32>, 5>    of those; negative ones wrap around, as u32 arithmetic does
//   steps: array<vec4<u32>, 1>      strides of the innermost axis
//   bases: array<vec4<u32>, 1>      where the box begins

struct Group {
  at: vec4<u32>, // index of the group's first element in every window
  count: u32,    // of its elements: 4, or fewer at the end of a row
}

fn group_at(group: u32) -> Group {
  let groups_per_row = (params.columns + 3u) / 4u;
  let column = group % groups_per_row * 4u;
  var at = params.bases[0] + column * params.steps[0];
  var row = group / groups_per_row;
  for (var axis = 0u; axis < params.axes; axis++) {
    let size = params.sizes[axis >> 2u][axis & 3u];
    at += row % size * params.strides[axis];
    row /= size;
  }
  return Group(at, min(4u, params.columns - column));
}
