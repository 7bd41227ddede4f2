// Stable sorting of lines, as torch orders numbers. Elements become keys that order as whole numbers do; items of a key
// and its place are sorted by insertion where they are few, else by the keys' bytes, the lowest first (radix sort). A
// unit is a line.

import { at, floatAt, load1 } from '../common/operand.as'

@unmanaged
class SortParams {
  x: usize // [outer, length, inner]
  values: usize
  indices: usize
  xFormat: u32
  length: u32
  inner: u32
  descending: u32
}

/** Items this few are sorted by insertion. */
const FEW: u32 = 48

/** Values of a byte. */
export const BUCKETS: u32 = 256

/** A unit is a line. Private memory: as sortLine needs it. */
export function sort(p: SortParams, from: u32, to: u32, scratch: usize): void {
  for (let line = from; line < to; line++) {
    const first = (line / p.inner) * p.length * p.inner + (line % p.inner)
    sortLine(p, first, scratch)
  }
}

/** Sorts the line that begins at an element. Private memory: items twice, and counts of each byte's values. */
function sortLine(p: SortParams, first: u32, scratch: usize): void {
  for (let n: u32 = 0; n < p.length; n++) {
    const x = load1(at(p.x, first + n * p.inner, p.xFormat), p.xFormat)
    store<u32>(itemAt(scratch, n), keyOf(x, p.descending))
    store<u32>(itemAt(scratch, n), n, 4)
  }
  let items = scratch
  if (p.length <= FEW) insert(items, p.length)
  else items = sortByBytes(items, itemAt(items, p.length), p.length)
  for (let n: u32 = 0; n < p.length; n++) {
    const place = load<u32>(itemAt(items, n), 4)
    const target = first + n * p.inner
    store<u32>(floatAt(p.indices, target), place)
    store<f32>(floatAt(p.values, target), load1(at(p.x, first + place * p.inner, p.xFormat), p.xFormat))
  }
}

function itemAt(items: usize, n: u32): usize {
  return items + ((<usize>n) << 3)
}

/** Sorts items by moving each before those with larger keys. */
function insert(items: usize, length: u32): void {
  for (let n: u32 = 1; n < length; n++) {
    const item = load<u64>(itemAt(items, n))
    let to = n
    for (; to > 0 && load<u32>(itemAt(items, to - 1)) > <u32>item; to--)
      store<u64>(itemAt(items, to), load<u64>(itemAt(items, to - 1)))
    store<u64>(itemAt(items, to), item)
  }
}

/** Sorts items, to and fro between their memory and spare memory; counts have room behind. Gives where items end up. */
function sortByBytes(items: usize, spare: usize, length: u32): usize {
  const counts = itemAt(spare, length)
  memory.fill(counts, 0, (4 * BUCKETS) << 2)
  for (let n: u32 = 0; n < length; n++)
    for (let pass: u32 = 0; pass < 4; pass++) {
      const count = counterOf(counts, pass, load<u32>(itemAt(items, n)))
      store<u32>(count, load<u32>(count) + 1)
    }
  for (let pass: u32 = 0; pass < 4; pass++) {
    // A pass in which all keys agree would move nothing.
    if (load<u32>(counterOf(counts, pass, load<u32>(items))) == length) continue
    distribute(items, spare, length, counts, pass)
    const sorted = spare
    spare = items
    items = sorted
  }
  return items
}

/** Where the items with a key's byte of that pass are counted. */
function counterOf(counts: usize, pass: u32, key: u32): usize {
  return floatAt(counts, pass * BUCKETS + ((key >> (pass << 3)) & (BUCKETS - 1)))
}

/** Moves items to where their bytes of that pass belong, those with equal ones in their order. */
function distribute(items: usize, target: usize, length: u32, counts: usize, pass: u32): void {
  let place: u32 = 0
  for (let bucket: u32 = 0; bucket < BUCKETS; bucket++) {
    const count = floatAt(counts, pass * BUCKETS + bucket)
    const many = load<u32>(count)
    store<u32>(count, place)
    place += many
  }
  for (let n: u32 = 0; n < length; n++, items += 8) {
    const count = counterOf(counts, pass, load<u32>(items))
    const to = load<u32>(count)
    store<u32>(count, to + 1)
    store<u64>(itemAt(target, to), load<u64>(items))
  }
}

/** A key in whose order, as a whole number, floats are to be: NaN above all, -0 as 0. */
function keyOf(x: f32, descending: u32): u32 {
  let key: u32 = 0xffffffff
  if (x == x) {
    const bits = reinterpret<u32>(x == 0 ? <f32>0 : x)
    key = bits & 0x80000000 ? ~bits : bits | 0x80000000
  }
  return descending ? ~key : key
}
