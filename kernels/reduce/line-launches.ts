// The host side of line.wgsl: lines of x, cut into runs whose windows fit their bindings.

import type { StoredTensor } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Uniforms } from '../../tensor/webgpu/interface.js'
import { windowOf, type Window } from '../../tensor/webgpu/launch.js'
import { chunkRows } from '../common/rows.js'
import { lineSizes, type LineParams } from './line.js'

/** Lines that one dispatch can do. */
export interface LineLaunch {
  readonly lines: number
  readonly bindings: { readonly x: Window; readonly out: Window }
  /** The fields of Params in line.wgsl. */
  readonly uniforms: Uniforms
}

/**
 * All lines of x along an axis, for an output with `perLine` elements for each. Throws a KernelError where the lines
 * that lie side by side do not fit a binding.
 */
export function lineLaunches(
  where: string,
  x: StoredTensor,
  out: StoredTensor,
  perLine: number,
  params: LineParams,
  facts: AdapterFacts,
): LineLaunch[] {
  const { outer, length, inner } = lineSizes(x.shape, params)
  const [xRow, outRow] = [length * inner, perLine * inner]
  const operands = [
    { dtype: x.dtype, perRow: xRow },
    { dtype: out.dtype, perRow: outRow },
  ]
  return chunkRows(where, outer, operands, facts).map(({ start, count }) => {
    const xWindow = windowOf(x, start * xRow, count * xRow, facts)
    const outWindow = windowOf(out, start * outRow, count * outRow, facts)
    const lines = count * inner
    return {
      lines,
      bindings: { x: xWindow.window, out: outWindow.window },
      uniforms: { lines, length, inner, x_base: xWindow.base, out_base: outWindow.base },
    }
  })
}
