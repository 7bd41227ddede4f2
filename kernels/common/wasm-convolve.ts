// The host side of convolve.as.ts: which blocks a convolution is cut into, and the private memory that a block needs.

import type { StoredTensor } from '../../tensor/index.js'
import { constants } from '../wasm.generated.js'
import { blocksOf, blockScratch } from './wasm-gemm.js'

/** Below so many channels, reading them from the picture tap by tap costs more than writing them side by side first. */
const fewChannels = 8

/** A convolution of one group cut into blocks and parts of the sum. */
export interface ConvolutionBlocks {
  readonly pixels: number
  readonly channels: number
  /** Taps, and channels of them, that are packed at a time. */
  readonly segments: number
  readonly terms: number
  /** Whether what pixels see is first written side by side. */
  readonly gather: boolean
  readonly count: number
  /** Bytes of private memory for each thread. */
  readonly scratch: number
}

/** Cuts into the fewest equal parts of at most `most`. */
const share = (length: number, most: number) => Math.ceil(length / Math.ceil(length / most))

/** Blocks of `batch` convolutions of x to [pixels, outChannels], each of so many taps of so many channels. */
export function convolutionBlocks(
  x: StoredTensor,
  batch: number,
  pixels: number,
  outChannels: number,
  taps: number,
  channels: number,
): ConvolutionBlocks {
  const blocks = blocksOf(batch, pixels, outChannels, taps * channels)
  // As many taps as leave room for a run of channels, and as many channels as there is then room for: whole fours.
  const segments = share(taps, Math.max(1, Math.floor(blocks.terms / Math.min(channels, 32))))
  const room = Math.floor(blocks.terms / segments)
  const terms = channels <= room ? channels : Math.ceil(share(channels, room) / 4) * 4
  const gather = x.dtype !== 'f32' || (channels < fewChannels && segments > 1)
  const lists = 4 * (blocks.rows + terms + 3)
  return {
    pixels: blocks.rows,
    channels: blocks.columns,
    segments,
    terms,
    gather,
    count: blocks.count,
    scratch: constants.CONVOLUTION_BYTES + lists + blockScratch({ ...blocks, terms }, gather, 1, segments),
  }
}
