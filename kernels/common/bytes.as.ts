// Runs of bytes copied and filled. Short ones, which most rows are, would spend more on the call of memory.copy than on
// the bytes.

const SHORT: usize = 512

/** Copies so many bytes between runs that do not overlap. */
export function copyRun(target: usize, source: usize, bytes: usize): void {
  if (bytes > SHORT) return memory.copy(target, source, bytes)
  const end = target + (bytes & ~15)
  for (; target < end; target += 16, source += 16) v128.store(target, v128.load(source))
  if (bytes & 8) {
    store<u64>(target, load<u64>(source))
    target += 8
    source += 8
  }
  if (bytes & 4) {
    store<u32>(target, load<u32>(source))
    target += 4
    source += 4
  }
  if (bytes & 2) {
    store<u16>(target, load<u16>(source))
    target += 2
    source += 2
  }
  if (bytes & 1) store<u8>(target, load<u8>(source))
}

/** Repeats a word, which holds one element or several of the same, over whole elements. */
export function fillRun(target: usize, word: u32, bytes: usize): void {
  const four = i32x4.splat(word)
  const end = target + (bytes & ~15)
  for (; target < end; target += 16) v128.store(target, four)
  if (bytes & 8) {
    v128.store64_lane(target, four, 0)
    target += 8
  }
  if (bytes & 4) {
    store<u32>(target, word)
    target += 4
  }
  if (bytes & 2) {
    store<u16>(target, <u16>word)
    target += 2
  }
  if (bytes & 1) store<u8>(target, <u8>word)
}
