// Boxes of indices walked by strided operands, cut into blocks of rows and columns: the two innermost axes. A unit is a
// block. The host side is wasm-box.ts.

/** What a list of the host's says of a box. Sizes of the other axes follow, innermost first. */
@unmanaged
export class Box {
  rows: u32
  columns: u32
  blockRows: u32
  blockColumns: u32
  axes: u32
}

/** The column at which a block begins. */
export function firstColumn(box: Box, unit: u32): u32 {
  return (unit % ((box.columns + box.blockColumns - 1) / box.blockColumns)) * box.blockColumns
}

/** The row at which a block begins. */
export function firstRow(box: Box, unit: u32): u32 {
  const columnBlocks = (box.columns + box.blockColumns - 1) / box.blockColumns
  const rowBlocks = (box.rows + box.blockRows - 1) / box.blockRows
  return ((unit / columnBlocks) % rowBlocks) * box.blockRows
}

/** The element at which an operand's block begins. Strides: of columns, of rows, of the other axes. */
export function firstElement(box: Box, unit: u32, strides: usize): u32 {
  let element = firstColumn(box, unit) * load<u32>(strides) + firstRow(box, unit) * load<u32>(strides, 4)
  const columnBlocks = (box.columns + box.blockColumns - 1) / box.blockColumns
  const rowBlocks = (box.rows + box.blockRows - 1) / box.blockRows
  let index = unit / columnBlocks / rowBlocks
  let sizes = changetype<usize>(box) + offsetof<Box>()
  for (let axis: u32 = 0; axis < box.axes; axis++, sizes += 4) {
    const size = load<u32>(sizes)
    element += (index % size) * load<u32>(strides + ((2 + axis) << 2))
    index /= size
  }
  return element
}
