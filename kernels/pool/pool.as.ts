// Means or largest pixels under windows, four channels at a time; lanes without a channel are not stored. A unit is a
// run of channels of one row of the output.

import { at, floatAt, load4, storeUpTo4 } from '../common/operand.as'

@unmanaged
class PoolParams {
  x: usize
  out: usize
  format: u32
  height: u32
  width: u32
  channels: u32
  outHeight: u32
  outWidth: u32
  kernel: u32
  stride: u32
  padding: u32
  largest: u32 // of the pixels, not their mean
  countIncludePad: u32
  blockChannels: u32
}

/** A unit is a run of channels of one row of the output. */
export function pool(p: PoolParams, from: u32, to: u32, scratch: usize): void {
  const blocks = (p.channels + p.blockChannels - 1) / p.blockChannels
  for (let unit = from; unit < to; unit++) {
    const first = (unit % blocks) * p.blockChannels
    const last = min(first + p.blockChannels, p.channels)
    const y = (unit / blocks) % p.outHeight
    const batch = unit / blocks / p.outHeight
    // What lies inside the picture; padding is at most half the kernel, so there is something.
    const top = max(y * p.stride, p.padding) - p.padding
    const rows = min(y * p.stride + p.kernel - p.padding, p.height) - top
    let out = floatAt(p.out, (unit / blocks) * p.outWidth * p.channels)
    for (let z: u32 = 0; z < p.outWidth; z++, out = floatAt(out, p.channels)) {
      const left = max(z * p.stride, p.padding) - p.padding
      const columns = min(z * p.stride + p.kernel - p.padding, p.width) - left
      const pixels = p.countIncludePad ? p.kernel * p.kernel : rows * columns
      const corner = ((batch * p.height + top) * p.width + left) * p.channels
      for (let c = first; c < last; c += 4) {
        const window = at(p.x, corner + c, p.format)
        const value = p.largest
          ? largest(p, window, rows, columns)
          : f32x4.div(total(p, window, rows, columns), f32x4.splat(<f32>pixels))
        storeUpTo4(floatAt(out, c), value, last - c)
      }
    }
  }
}

/** The sum of a window's pixels: row by row, so that sums stay short. */
function total(p: PoolParams, window: usize, rows: u32, columns: u32): v128 {
  let sum = f32x4.splat(0)
  for (; rows > 0; rows--, window = at(window, p.width * p.channels, p.format)) {
    let ofRow = f32x4.splat(0)
    let pixel = window
    for (let i: u32 = 0; i < columns; i++, pixel = at(pixel, p.channels, p.format))
      ofRow = f32x4.add(ofRow, load4(pixel, p.format))
    sum = f32x4.add(sum, ofRow)
  }
  return sum
}

/** The largest of a window's pixels, or NaN. */
function largest(p: PoolParams, window: usize, rows: u32, columns: u32): v128 {
  let most = f32x4.splat(-Infinity)
  for (; rows > 0; rows--, window = at(window, p.width * p.channels, p.format)) {
    let pixel = window
    for (let i: u32 = 0; i < columns; i++, pixel = at(pixel, p.channels, p.format))
      most = f32x4.max(most, load4(pixel, p.format))
  }
  return most
}
