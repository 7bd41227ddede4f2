// The host side of strip.wgsl.

/** The WIDTH of a strip: how many neighbouring channels an invocation takes at once. */
export function widthOf(channels: number): 1 | 4 {
  return channels % 4 === 0 ? 4 : 1
}
