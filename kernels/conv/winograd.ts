// The host side of winograd.as.ts: which convolutions it is for, and its launches.

import type { StoredTensor } from '../../tensor/index.js'
import type { Launch, WasmCall, WasmParam } from '../../tensor/wasm/launch.js'
import { blocksOf, roundUp } from '../common/wasm-gemm.js'
import { formatNumber } from '../common/wasm-operand.js'
import { constants } from '../wasm.generated.js'
import type { ConvSizes } from './conv.js'

const { WINOGRAD_POINTS: points, WINOGRAD_STEP: step, TILE_COLUMNS: panel, TILE_ROWS: tileRow } = constants

/** With less to do, rearranging costs more than it saves; more channels would need too much memory. */
const least = { channels: 24, outChannels: 16, pixels: 36 }
const mostChannels = 4096

/**
 * Whether a convolution goes that way. A matter of one picture and the kernel: pictures come out the same one by one or
 * all at once.
 */
export function isWinograd({ frames, rows, columns, channels, outChannels, groups }: ConvSizes): boolean {
  const isThree = frames.kernel === 1 && rows.kernel === 3 && columns.kernel === 3 && rows.stride === 1 && groups === 1
  const isEnough = channels >= least.channels && outChannels >= least.outChannels
  return isThree && isEnough && channels <= mostChannels && rows.out * columns.out >= least.pixels
}

/** Floats between runs of memory whose size may be a multiple of the caches' period, so that they lie in other places. */
const apart = 16

/** About so many floats of weights, and as many of tiles, are kept at a time: 32 MiB each. */
const room = 2 ** 23

/** Tiles of a block, and output channels: all 16 sums of it stay in the second cache. */
const block = { tiles: 64, channels: 64 }

/** As many as there is room for at so many floats each, in whole blocks. */
const portion = (count: number, each: number, whole: number) =>
  Math.min(count, Math.max(whole, Math.floor(room / each / whole) * whole))

/** Cuts into runs of at most `most`. */
const runs = (count: number, most: number) =>
  Array.from({ length: Math.ceil(count / most) }, (_, i) => ({
    first: i * most,
    count: Math.min(most, count - i * most),
  }))

/** @param output what the epilogue needs: the fields of Output in output.as.ts */
export function winogradLaunches(
  x: StoredTensor,
  weight: StoredTensor,
  sizes: ConvSizes,
  output: Readonly<Record<string, WasmParam>>,
  scratch: WasmCall<object, unknown>['scratch'],
): Launch[] {
  const { batch, frames, rows, columns, channels, outChannels } = sizes
  const [tileRows, tileColumns] = [rows, columns].map(({ out }) => Math.ceil(out / step))
  const all = batch * frames.size * tileRows * tileColumns
  const width = roundUp(channels, 4)
  const pitch = width + apart
  const tileRun = portion(all, points * pitch, block.tiles)
  const channelRun = portion(outChannels, points * channels, block.channels)
  const tiles = scratch([tileRun, points, pitch], 'f32')
  const panelFloats = channels * roundUp(channelRun, panel) + apart
  const panels = scratch([points, panelFloats], 'f32')
  const { terms } = blocksOf(1, tileRun, outChannels, channels)
  return runs(outChannels, channelRun).flatMap((outs): Launch[] => [
    {
      kernel: 'winogradWeights',
      params: { weight, panels, weightFormat: formatNumber(weight), channels, terms, points: panelFloats, ...outs },
      units: Math.ceil(outs.count / panel),
      scratch: 4 * 9 * channels * panel,
    },
    ...runs(all, tileRun).flatMap((run): Launch[] => {
      const blocks = blocksOf(1, run.count, outs.count, channels, block.tiles)
      const blockSums = points * (blocks.rows * blocks.columns + apart)
      return [
        {
          kernel: 'winogradPictures',
          params: {
            x,
            tiles,
            xFormat: formatNumber(x),
            channels,
            pitch,
            tileRows,
            tileColumns,
            rows: rows.size,
            columns: columns.size,
            rowsBefore: rows.before,
            columnsBefore: columns.before,
            first: run.first,
          },
          units: run.count,
          scratch: 4 * points * width,
        },
        {
          kernel: 'winograd',
          params: {
            tiles,
            panels,
            channels,
            pitch,
            terms,
            points: panelFloats,
            tileRows,
            tileColumns,
            outRows: rows.out,
            outColumns: columns.out,
            firstChannel: outs.first,
            channelCount: outs.count,
            blockTiles: blocks.rows,
            blockChannels: blocks.columns,
            ...run,
            ...output,
          },
          units: blocks.count,
          grain: Math.ceil(blocks.count / 256),
          scratch: 4 * (roundUp(blocks.rows, tileRow) + 4 * blocks.columns + blockSums),
        },
      ]
    }),
  ])
}
