// Cuts a convolution into parts whose windows fit their bindings: whole batches; or frames of one batch with the input
// frames around them; or rows of one frame with the input rows around them, one kernel frame at a time (rows of several
// frames are not contiguous) and if need be one kernel row at a time. Parts of one output that differ in taps are
// summed.

import { KernelError, type DType } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import { windowElements } from '../../tensor/webgpu/launch.js'
import { chunkRows, runsOf, whole, type Rows } from '../common/rows.js'
import type { ConvAxis, ConvSizes } from './conv.js'

/** A part of the kernel. */
export interface Taps {
  readonly frames: Rows
  readonly rows: Rows
}

/** A part of the output's pixels, and the taps to be summed into it one after another. */
export interface PixelPart {
  readonly batches: Rows
  readonly frames: Rows
  readonly rows: Rows
  readonly taps: readonly Taps[]
}

/** The part of an input axis that outputs see through taps; it may be empty. */
export function spanOf({ size, stride, before }: ConvAxis, outputs: Rows, taps: Rows): Rows {
  const first = outputs.start * stride - before + taps.start
  const start = Math.max(0, first)
  const end = Math.min(size, first + (outputs.count - 1) * stride + taps.count)
  return { start, count: Math.max(0, end - start) }
}

/** All pixels at once. */
export function wholePart({ batch, frames, rows }: ConvSizes): PixelPart {
  const taps = [{ frames: whole(frames.kernel), rows: whole(rows.kernel) }]
  return { batches: whole(batch), frames: whole(frames.out), rows: whole(rows.out), taps }
}

/**
 * Parts of the output's pixels whose windows of x and of the output's operands (by dtype) fit. Throws a KernelError.
 */
export function pixelParts(sizes: ConvSizes, x: DType, outputs: readonly DType[], facts: AdapterFacts): PixelPart[] {
  const { batch, frames, rows, columns, channels, outChannels } = sizes
  const inputRow = columns.size * channels
  const outputRow = columns.out * outChannels
  const inputRoom = windowElements(x, facts)
  const outputRoom = Math.min(...outputs.map(dtype => windowElements(dtype, facts)))
  const everything = wholePart(sizes)

  /** How many outputs along an axis fit at once, when `inner` times as many rows hang on each. */
  const fit = (axis: ConvAxis, kernel: number, inner: { input: number; output: number }): number => {
    const inputs = Math.floor(inputRoom / (inner.input * inputRow))
    const seen = inputs >= axis.size ? axis.out : Math.floor((inputs - kernel) / axis.stride) + 1
    return Math.min(axis.out, seen, Math.floor(outputRoom / (inner.output * outputRow)))
  }

  const batches = Math.min(
    Math.floor(inputRoom / (frames.size * rows.size * inputRow)),
    Math.floor(outputRoom / (frames.out * rows.out * outputRow)),
  )
  if (batches > 0) return runsOf(batch, batches).map(batches => ({ ...everything, batches }))

  const each = runsOf(batch, 1)
  const frameCount = fit(frames, frames.kernel, { input: rows.size, output: rows.out })
  if (frameCount > 0)
    return each.flatMap(batches => runsOf(frames.out, frameCount).map(frames => ({ ...everything, batches, frames })))

  const allRows = fit(rows, rows.kernel, { input: 1, output: 1 })
  const rowCount = allRows > 0 ? allRows : fit(rows, 1, { input: 1, output: 1 })
  if (rowCount < 1)
    throw new KernelError({
      where: 'conv',
      what: 'one row is larger than a binding may be',
      expected: `at most ${facts.limits.maxStorageBufferBindingSize} bytes`,
      got: `rows of ${inputRow} ${x} and ${outputRow} f32`,
      hint: 'narrower tiles',
    })
  const tapRows = allRows > 0 ? [whole(rows.kernel)] : runsOf(rows.kernel, 1)
  const taps = runsOf(frames.kernel, 1).flatMap(frames => tapRows.map(rows => ({ frames, rows })))
  return each.flatMap(batches =>
    runsOf(frames.out, 1).flatMap(outFrames =>
      runsOf(rows.out, rowCount).map(outRows => ({
        batches,
        frames: outFrames,
        rows: outRows,
        // Taps that see nothing but padding add nothing. Some tap sees the picture, since padding is below the kernel.
        taps: taps.filter(
          tap => spanOf(frames, outFrames, tap.frames).count > 0 && spanOf(rows, outRows, tap.rows).count > 0,
        ),
      })),
    ),
  )
}

/** Runs of output channels whose weights fit; of whole groups when there are several. Throws a KernelError. */
export function channelParts(sizes: ConvSizes, weight: DType, facts: AdapterFacts): Rows[] {
  const { frames, rows, columns, channels, outChannels, groups } = sizes
  const unit = groups > 1 ? outChannels / groups : 1
  const perRow = (unit * frames.kernel * rows.kernel * columns.kernel * channels) / groups
  return chunkRows('conv', outChannels / unit, [{ dtype: weight, perRow }], facts).map(({ start, count }) => ({
    start: start * unit,
    count: count * unit,
  }))
}
