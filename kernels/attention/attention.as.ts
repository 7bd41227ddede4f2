// out = softmax(scale q k^T + mask) v, blocks of queries against blocks of keys; the sums so far fade by
// exp(old maximum - new maximum), so no score outlives its block. A unit is a block of queries of one head at one
// position.
//
// Scores and sums are products of blocks, by the tiles of gemm.as.ts: queries, scaled, and weights are rows, keys and
// values panels. Queries meet a block of keys strip by strip, so that a strip's scores stay in the first cache. A block
// of keys that causal queries see in part is added up row by row instead: a hidden value has no part in a sum, not even
// if it is NaN.

import { sumAcross } from '../common/across.as'
import { addRow } from '../common/epilogue.as'
import { listRows, madd, multiply, packColumns, packRows, roundUp, TILE_COLUMNS, TILE_ROWS } from '../common/gemm.as'
import { fall1, fall4 } from '../common/math.as'
import { at, F32, floatAt, load4, storeUpTo4 } from '../common/operand.as'

/** Most queries that meet a block of keys at a time: whole tiles. */
export const STRIP_QUERIES: u32 = 16

@unmanaged
class AttentionParams {
  q: usize
  k: usize
  v: usize
  mask: usize // 0 without
  out: usize
  qFormat: u32
  kFormat: u32
  vFormat: u32
  maskFormat: u32
  queries: u32
  positions: u32
  heads: u32
  width: u32 // channels of a head in q and k
  repeat: u32 // query batches that share a batch of keys
  keys: u32
  kvPositions: u32
  valueWidth: u32 // channels of a head in v and out
  causal: u32 // 1: keys after a query's own number are hidden
  scale: f32
  blockQueries: u32
  blockKeys: u32 // a multiple of 8
}

/** Stands for the maximum of no scores: finite, so that a query that sees no key has a sum of weights of 0. */
const LOWEST: f32 = -3.4028234663852886e38

/** A unit is a block of queries of one head at one position. */
export function attention(p: AttentionParams, from: u32, to: u32, scratch: usize): void {
  const blocks = (p.queries + p.blockQueries - 1) / p.blockQueries
  for (let unit = from; unit < to; unit++) {
    const query = (unit % blocks) * p.blockQueries
    const line = unit / blocks
    attend(p, line / p.heads, line % p.heads, query, min(p.blockQueries, p.queries - query), scratch)
  }
}

/** A block of queries, kept at the beginning of private memory; lists, sums and panels follow. */
@unmanaged
class QueryBlock {
  query: u32 // the first
  list: usize // where the queries are, scaled
  states: usize // [queries, 2]: the highest score so far, and the sum of weights
  sums: usize // [queries, columns]
  columns: u32 // channels of values, padded to whole tiles
  scores: usize // [STRIP_QUERIES, blockKeys]
  weightList: usize // where rows of scores are
  keyPanels: usize
  valuePanels: usize
}

/** Bytes for the block of queries in front of what follows. */
export const QUERY_BLOCK_BYTES: u32 = 64

/** Makes so many rows of the output from `query` on, of one head; `place` counts positions through all batches. */
function attend(p: AttentionParams, place: u32, head: u32, query: u32, rows: u32, scratch: usize): void {
  const batch = place / p.positions
  const position = place % p.positions
  const padded = roundUp(rows, TILE_ROWS)
  const block = changetype<QueryBlock>(scratch)
  block.query = query
  block.columns = roundUp(p.valueWidth, TILE_COLUMNS)
  block.list = scratch + QUERY_BLOCK_BYTES
  block.states = floatAt(block.list, padded)
  block.sums = floatAt(block.states, padded + padded)
  block.scores = floatAt(block.sums, padded * block.columns)
  block.weightList = floatAt(block.scores, STRIP_QUERIES * p.blockKeys)
  block.keyPanels = floatAt(block.weightList, STRIP_QUERIES)
  block.valuePanels = floatAt(block.keyPanels, p.blockKeys * p.width)
  const scaled = floatAt(block.valuePanels, p.blockKeys * block.columns)

  // Rows of one head, from the first one here to the next.
  const firstRow = ((batch * p.queries + query) * p.positions + position) * p.heads + head
  const rowStep = p.positions * p.heads
  const firstKey = ((batch / p.repeat) * p.keys * p.kvPositions + (position % p.kvPositions)) * p.heads + head
  const keyStep = p.kvPositions * p.heads

  scaleRows(p, firstRow, rowStep, rows, scaled)
  listRows(scaled, F32, p.width, rows, p.width, block.list, 0)
  if (p.causal) memory.fill(block.sums, 0, block.scores - block.sums)

  const end = p.causal ? min(p.keys, query + rows) : p.keys
  for (let key: u32 = 0; key < end; key += p.blockKeys) {
    const count = min(p.blockKeys, end - key)
    const start = firstKey + key * keyStep
    const values = at(p.v, start * p.valueWidth, p.vFormat)
    const step = keyStep * p.valueWidth
    packRows(at(p.k, start * p.width, p.kFormat), p.kFormat, keyStep * p.width, count, p.width, block.keyPanels)
    packColumns(values, p.vFormat, step, p.valueWidth, count, block.valuePanels)
    // Queries before the first key see none of them.
    const before = p.causal && key > query ? key - query : 0
    for (let row = before - (before % STRIP_QUERIES); row < rows; row += STRIP_QUERIES) {
      const strip = min(STRIP_QUERIES, rows - row)
      multiply(
        floatAt(block.list, row),
        1,
        p.width,
        block.keyPanels,
        block.scores,
        roundUp(strip, TILE_ROWS),
        roundUp(count, TILE_COLUMNS),
        false,
      )
      if (p.causal && key + count > query + row + 1) addSeen(p, block, row, strip, key, count, values, step)
      else addAll(p, block, row, strip, key, count)
    }
  }

  for (let row: u32 = 0; row < rows; row++) {
    const total = load<f32>(floatAt(block.states, 2 * row + 1))
    const out = floatAt(p.out, (firstRow + row * rowStep) * p.valueWidth)
    divide(floatAt(block.sums, row * block.columns), total, p.valueWidth, out)
  }
}

/** Writes so many rows of queries, `step` rows apart, as scale q. */
function scaleRows(p: AttentionParams, first: u32, step: u32, rows: u32, scaled: usize): void {
  const scale = f32x4.splat(p.scale)
  for (let row: u32 = 0; row < rows; row++) {
    const source = at(p.q, (first + row * step) * p.width, p.qFormat)
    const target = floatAt(scaled, row * p.width)
    for (let c: u32 = 0; c < p.width; c += 4) {
      const four = f32x4.mul(load4(at(source, c, p.qFormat), p.qFormat), scale)
      storeUpTo4(floatAt(target, c), four, p.width - c)
    }
  }
}

/** Adds a block of keys that all queries of a strip, from `row` of their block on, see as a whole. */
function addAll(p: AttentionParams, block: QueryBlock, row: u32, strip: u32, key: u32, count: u32): void {
  const n = roundUp(count, TILE_COLUMNS)
  const sums = floatAt(block.sums, row * block.columns)
  const onto = p.causal != 0 || key > 0
  for (let i: u32 = 0; i < strip; i++) {
    const state = floatAt(block.states, 2 * (row + i))
    const left = weigh(p, floatAt(block.scores, i * n), count, block.query + row + i, key, state)
    if (onto) fade(floatAt(sums, i * block.columns), left, p.valueWidth)
  }
  listRows(block.scores, F32, n, strip, count, block.weightList, 0)
  multiply(block.weightList, 1, count, block.valuePanels, sums, roundUp(strip, TILE_ROWS), block.columns, onto)
}

/** Adds to each query of a strip those keys of a block that it sees, if any; rows of `values` are `step` apart. */
function addSeen(
  p: AttentionParams,
  block: QueryBlock,
  row: u32,
  strip: u32,
  key: u32,
  count: u32,
  values: usize,
  step: u32,
): void {
  const n = roundUp(count, TILE_COLUMNS)
  for (let i: u32 = 0; i < strip; i++) {
    const query = block.query + row + i
    if (query < key) continue
    const seen = min(count, query + 1 - key)
    const weights = floatAt(block.scores, i * n)
    const sums = floatAt(block.sums, (row + i) * block.columns)
    fade(sums, weigh(p, weights, seen, query, key, floatAt(block.states, 2 * (row + i))), p.valueWidth)
    addValues(weights, seen, values, p.vFormat, step, sums, block.columns)
  }
}

/**
 * Turns so many scores of a query, for the keys from `key` on, into weights below the highest score so far; gives what
 * is left of weights before. Behind the scores is room for whole tiles.
 * @param state that score and the sum of weights, brought up to date; made for the first keys
 */
function weigh(p: AttentionParams, scores: usize, count: u32, query: u32, key: u32, state: usize): f32 {
  const padded = roundUp(count, TILE_COLUMNS)
  if (p.mask) addRow(scores, at(p.mask, query * p.keys + key, p.maskFormat), p.maskFormat, count)
  for (let i = count; i < padded; i++) store<f32>(floatAt(scores, i), -Infinity)
  const end = floatAt(scores, padded)
  const before: f32 = key > 0 ? load<f32>(state) : LOWEST
  // NaN is no maximum; it spoils the weights below.
  let high = f32x4.splat(before)
  for (let score = scores; score < end; score += 16) high = f32x4.pmax(high, v128.load(score))
  high = f32x4.pmax(high, v128.shuffle<f32>(high, high, 2, 3, 0, 1))
  high = f32x4.pmax(high, v128.shuffle<f32>(high, high, 1, 0, 3, 2))
  let total = f32x4.splat(0)
  for (let score = scores; score < end; score += 16) {
    const weight = fall4(f32x4.sub(v128.load(score), high))
    v128.store(score, weight)
    total = f32x4.add(total, weight)
  }
  const after = f32x4.extract_lane(high, 0)
  const left: f32 = after == before ? 1 : fall1(before - after)
  store<f32>(state, after)
  store<f32>(state, (key > 0 ? load<f32>(state, 4) * left : 0) + sumAcross(total), 4)
  return left
}

/** sums *= left */
function fade(sums: usize, left: f32, count: u32): void {
  if (left == 1) return
  for (let c: u32 = 0; c < count; c += 4, sums += 16) v128.store(sums, f32x4.mul(v128.load(sums), f32x4.splat(left)))
}

/** sums += weights times so many rows of values, `step` elements apart; `columns` is a multiple of 8. */
function addValues(weights: usize, count: u32, values: usize, format: u32, step: u32, sums: usize, columns: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const weight = v128.load32_splat(floatAt(weights, i))
    const row = at(values, i * step, format)
    for (let c: u32 = 0; c < columns; c += 4) {
      const target = floatAt(sums, c)
      v128.store(target, madd(weight, load4(at(row, c, format), format), v128.load(target)))
    }
  }
}

/** out = sums / total */
function divide(sums: usize, total: f32, count: u32, out: usize): void {
  const factor = f32x4.splat(1 / total)
  for (let c: u32 = 0; c < count; c += 4, sums += 16, out += 16)
    storeUpTo4(out, f32x4.mul(v128.load(sums), factor), count - c)
}
