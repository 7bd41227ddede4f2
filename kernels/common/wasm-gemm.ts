// The host side of gemm.as.ts: which blocks a product is cut into, and the private memory that a block needs.

import { constants } from '../wasm.generated.js'

const tile = { rows: constants.TILE_ROWS, columns: constants.TILE_COLUMNS }

/** Most rows and columns of a block. A panel serves all rows of its block, which pays for packing it. */
const most = { rows: 256, columns: 64 }

/** Blocks are not halved to less. */
const least = { rows: 64, columns: 32 }

/** Terms of the sum that are packed at a time: a panel of 16 KiB stays in the first cache. */
const panelTerms = 512

/** Fewer blocks than this keep many threads waiting for the last ones. */
const enough = 64

/** A product cut into blocks; sizes in elements. */
export interface Blocks {
  readonly rows: number
  readonly columns: number
  /** Terms of the sum that are packed at a time. */
  readonly terms: number
  readonly count: number
}

/** The least multiple that is no less than n. */
export const roundUp = (n: number, multiple: number) => Math.ceil(n / multiple) * multiple

/** Cuts into so many equal parts of whole tiles, or one less where the last would be empty. */
export const cut = (length: number, parts: number, multiple: number) => roundUp(Math.ceil(length / parts), multiple)

/** Blocks of `batch` products of [m, k] and [k, n], of at most so many rows. */
export function blocksOf(batch: number, m: number, n: number, k: number, mostRows = most.rows): Blocks {
  let rows = cut(m, Math.ceil(m / mostRows), tile.rows)
  let columns = cut(n, Math.ceil(n / most.columns), tile.columns)
  const count = () => batch * Math.ceil(m / rows) * Math.ceil(n / columns)
  while (count() < enough && rows >= 2 * least.rows) rows = roundUp(rows / 2, tile.rows)
  while (count() < enough && columns >= 2 * least.columns) columns = roundUp(columns / 2, tile.columns)
  return { rows, columns, terms: Math.min(k, panelTerms), count: count() }
}

/**
 * Bytes for a block's sums, list of rows, panels, and rows of a if they are widened.
 * @param parts how many blocks of columns are made side by side: 2 for values and gates
 * @param segments how many runs of `terms` a row of a consists of
 */
export function blockScratch({ rows, columns, terms }: Blocks, widened: boolean, parts = 1, segments = 1): number {
  const width = parts * columns
  return 4 * (rows * width + segments * (rows + width * terms + (widened ? rows * terms : 0)))
}
