// Who goes with whom at the least cost in all.

/**
 * Pairs rows with columns so that costs add up to the least (the Hungarian method, by shortest augmenting paths).
 *
 * @param costs [R x C] rows of finite costs; R rows need at least as many columns
 * @returns [R] the column of each row
 */
export function assign(costs: readonly (readonly number[])[]): number[] {
  const [rows, columns] = [costs.length, costs[0]?.length ?? 0]
  // Row and column 0 stand for none yet.
  const rowPrices = new Float64Array(rows + 1)
  const columnPrices = new Float64Array(columns + 1)
  const rowOf = new Int32Array(columns + 1)
  for (let row = 1; row <= rows; row++) {
    const least = new Float64Array(columns + 1).fill(Infinity)
    const before = new Int32Array(columns + 1)
    const done = new Uint8Array(columns + 1)
    let column = 0
    rowOf[0] = row
    do {
      done[column] = 1
      const from = rowOf[column]
      let [step, next] = [Infinity, 0]
      for (let to = 1; to <= columns; to++) {
        if (done[to]) continue
        const cost = costs[from - 1][to - 1] - rowPrices[from] - columnPrices[to]
        if (cost < least[to]) {
          least[to] = cost
          before[to] = column
        }
        if (least[to] < step) [step, next] = [least[to], to]
      }
      for (let to = 0; to <= columns; to++)
        if (done[to]) {
          rowPrices[rowOf[to]] += step
          columnPrices[to] -= step
        } else least[to] -= step
      column = next
    } while (rowOf[column] !== 0)
    while (column !== 0) {
      rowOf[column] = rowOf[before[column]]
      column = before[column]
    }
  }
  const found = new Array<number>(rows).fill(-1)
  for (let column = 1; column <= columns; column++) if (rowOf[column] > 0) found[rowOf[column] - 1] = column - 1
  return found
}
