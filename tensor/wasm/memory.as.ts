// What the runtime itself does with memory, in units of 64 bytes.

@unmanaged
class FillParams {
  target: usize
  word: u32
}

/** Fills memory with a word. */
export function fillWords(params: FillParams, from: u32, to: u32, _scratch: usize): void {
  const word = i32x4.splat(params.word)
  const end = params.target + ((<usize>to) << 6)
  for (let at = params.target + ((<usize>from) << 6); at < end; at += 16) v128.store(at, word)
}

@unmanaged
class CopyParams {
  source: usize
  target: usize
}

/** Copies memory; source and target do not overlap. */
export function copyBytes(params: CopyParams, from: u32, to: u32, _scratch: usize): void {
  const start = (<usize>from) << 6
  memory.copy(params.target + start, params.source + start, (<usize>(to - from)) << 6)
}
