// out = softmax(scale q k^T + mask) v, blocks of queries against blocks of keys; the sums so far fade by
// exp(old maximum - new maximum), so no score outlives its block. A unit is a block of queries of one head at one
// position.
//
// Scores and sums are products of blocks, by the tiles of gemm.as.ts: queries and weights are read where they lie, keys
// and values from panels. A block of keys that causal queries see in part is added up row by row instead: a hidden
// value has no part in a sum, not even if it is NaN.

import { firstLanes, sumAcross } from '../common/across.as'
import { listRows, madd, multiply, packColumns, packRows, roundUp, TILE_COLUMNS, TILE_ROWS } from '../common/gemm.as'
import { exp1, exp4 } from '../common/math.as'
import { at, F32, floatAt, load4, storeUpTo4 } from '../common/operand.as'

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

export function attention(p: AttentionParams, from: u32, to: u32, scratch: usize): void {
  const blocks = (p.queries + p.blockQueries - 1) / p.blockQueries
  for (let unit = from; unit < to; unit++) {
    const query = (unit % blocks) * p.blockQueries
    const line = unit / blocks
    attend(p, line / p.heads, line % p.heads, query, min(p.blockQueries, p.queries - query), scratch)
  }
}

/** Makes so many rows of the output from `query` on, of one head; `place` counts positions through all batches. */
function attend(p: AttentionParams, place: u32, head: u32, query: u32, rows: u32, scratch: usize): void {
  const batch = place / p.positions
  const position = place % p.positions
  const padded = roundUp(rows, TILE_ROWS)
  const columns = roundUp(p.valueWidth, TILE_COLUMNS)
  // Private memory, as attentionScratch in wasm.ts counts it.
  const list = scratch
  const states = floatAt(list, padded)
  const sums = floatAt(states, padded + padded)
  const scores = floatAt(sums, padded * columns)
  const keyPanels = floatAt(scores, padded + padded * p.blockKeys)
  const valuePanels = floatAt(keyPanels, p.blockKeys * p.width)
  const wide = floatAt(valuePanels, p.blockKeys * columns)

  // Rows of one head, from the first one here to the next.
  const firstRow = ((batch * p.queries + query) * p.positions + position) * p.heads + head
  const rowStep = p.positions * p.heads
  const firstKey = ((batch / p.repeat) * p.keys * p.kvPositions + (position % p.kvPositions)) * p.heads + head
  const keyStep = p.kvPositions * p.heads

  listRows(at(p.q, firstRow * p.width, p.qFormat), p.qFormat, rowStep * p.width, rows, p.width, list, wide)
  if (p.causal) memory.fill(sums, 0, scores - sums)

  const end = p.causal ? min(p.keys, query + rows) : p.keys
  for (let key: u32 = 0; key < end; key += p.blockKeys) {
    const count = min(p.blockKeys, end - key)
    const n = roundUp(count, TILE_COLUMNS)
    const start = firstKey + key * keyStep
    const values = at(p.v, start * p.valueWidth, p.vFormat)
    const step = keyStep * p.valueWidth
    packRows(at(p.k, start * p.width, p.kFormat), p.kFormat, keyStep * p.width, count, p.width, keyPanels)
    multiply(list, 1, p.width, keyPanels, scores, padded, n, false)
    if (p.causal && key + count > query + 1) {
      for (let row = max(key, query) - query; row < rows; row++) {
        const seen = min(count, query + row + 1 - key)
        const weights = floatAt(scores, row * n)
        const target = floatAt(sums, row * columns)
        fade(target, weigh(p, weights, seen, query + row, key, floatAt(states, 2 * row)), p.valueWidth)
        addValues(weights, seen, values, p.vFormat, step, target, columns)
      }
      continue
    }
    for (let row: u32 = 0; row < rows; row++) {
      const left = weigh(p, floatAt(scores, row * n), count, query + row, key, floatAt(states, 2 * row))
      if (key > 0) fade(floatAt(sums, row * columns), left, p.valueWidth)
    }
    packColumns(values, p.vFormat, step, p.valueWidth, count, valuePanels)
    const weightList = floatAt(scores, padded * n)
    listRows(scores, F32, n, rows, count, weightList, 0)
    multiply(weightList, 1, count, valuePanels, sums, padded, columns, p.causal || key > 0)
  }

  for (let row: u32 = 0; row < rows; row++) {
    const total = load<f32>(floatAt(states, 2 * row + 1))
    const out = floatAt(p.out, (firstRow + row * rowStep) * p.valueWidth)
    divide(floatAt(sums, row * columns), total, p.valueWidth, out)
  }
}

/**
 * Turns so many scores of a query, for the keys from `key` on, into weights below the highest score so far; gives what
 * is left of weights before.
 * @param state that score and the sum of weights, brought up to date; made for the first keys
 */
function weigh(p: AttentionParams, scores: usize, count: u32, query: u32, key: u32, state: usize): f32 {
  const scale = f32x4.splat(p.scale)
  const format = p.maskFormat
  const mask = p.mask ? at(p.mask, query * p.keys + key, format) : 0
  const before: f32 = key > 0 ? load<f32>(state) : LOWEST
  // NaN is no maximum; it spoils the weights below.
  let high = f32x4.splat(before)
  for (let i: u32 = 0; i < count; i += 4) {
    let x = f32x4.mul(v128.load(floatAt(scores, i)), scale)
    if (mask) x = f32x4.add(x, load4(at(mask, i, format), format))
    if (count - i < 4) x = firstLanes(x, count - i, f32x4.splat(-Infinity))
    v128.store(floatAt(scores, i), x)
    high = f32x4.pmax(high, x)
  }
  high = f32x4.pmax(high, v128.shuffle<f32>(high, high, 2, 3, 0, 1))
  high = f32x4.pmax(high, v128.shuffle<f32>(high, high, 1, 0, 3, 2))
  let total = f32x4.splat(0)
  for (let i: u32 = 0; i < count; i += 4) {
    const weight = exp4(f32x4.sub(v128.load(floatAt(scores, i)), high))
    v128.store(floatAt(scores, i), weight)
    total = f32x4.add(total, weight)
  }
  const after = f32x4.extract_lane(high, 0)
  const left: f32 = after == before ? 1 : exp1(before - after)
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
