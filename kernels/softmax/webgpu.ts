// Launches softmax.wgsl, over windows of the outermost axes where an operand does not fit its binding.

import { webgpuKernel, windowOf } from '../../tensor/webgpu/launch.js'
import { sizeOf } from '../../tensor/index.js'
import { chunkRows } from '../common/rows.js'
import { workgroupOf } from '../common/workgroup.js'
import { lineSizes } from '../reduce/line.js'
import { softmaxOp } from './softmax.js'

// Up to so many contiguous lines leave a CPU's vector lanes and cores idle when an invocation takes a whole one.
const fewLines = 8
const longLine = 256
const lanesOfLine = 64

export const softmaxWebGpu = webgpuKernel(softmaxOp, ({ inputs: { x }, outputs: [out], params, facts }) => {
  if (sizeOf(x.shape) === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  const shared =
    inner === 1 && length >= (facts.isFallback ? longLine : lanesOfLine) && (!facts.isFallback || outer <= fewLines)
  const workgroup = shared ? lanesOfLine : workgroupOf(facts)
  const operands = [x, out].map(({ dtype }) => ({ dtype, perRow: length * inner }))
  return chunkRows('softmax', outer, operands, facts).map(({ start, count }) => {
    const xWindow = windowOf(x, start * length * inner, count * length * inner, facts)
    const outWindow = windowOf(out, start * length * inner, count * length * inner, facts)
    return {
      shader: 'softmax/softmax.wgsl',
      defines: { X_FORMAT: x.dtype, SHARED: shared, WORKGROUP: workgroup, LOG: params.log },
      bindings: { x: xWindow.window, out: outWindow.window },
      uniforms: { lines: count * inner, length, inner, x_base: xWindow.base, out_base: outWindow.base },
      workgroups: shared ? count : Math.ceil((count * inner) / workgroup),
    }
  })
})
