// Launches rotary.wgsl, over windows of rows where an operand does not fit its binding.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, windowOf } from '../../tensor/webgpu/launch.js'
import { chunkRows } from '../common/rows.js'
import { workgroupOf } from '../common/workgroup.js'
import { rotaryOp, rotarySizes } from './rotary.js'

export const rotaryWebGpu = webgpuKernel(rotaryOp, ({ inputs, outputs: [out], params: { inverse }, facts }) => {
  const { x, cos, sin } = inputs
  if (sizeOf(x.shape) === 0) return []
  const { rows, positions, channels, pairs } = rotarySizes(x.shape, cos.shape)
  const workgroup = workgroupOf(facts)
  const operands = [x, out].map(({ dtype }) => ({ dtype, perRow: channels }))
  return chunkRows('rotary', rows, operands, facts).map(({ start, count }) => {
    const xWindow = windowOf(x, start * channels, count * channels, facts)
    const outWindow = windowOf(out, start * channels, count * channels, facts)
    const size = (count * channels) / 2
    return {
      shader: 'rotary/rotary.wgsl',
      defines: { X_FORMAT: x.dtype, WORKGROUP: workgroup },
      bindings: { x: xWindow.window, cosines: cos, sines: sin, out: outWindow.window },
      uniforms: {
        size,
        row_0: start,
        positions,
        channels,
        pairs,
        x_base: xWindow.base,
        out_base: outWindow.base,
        sign: inverse ? -1 : 1,
      },
      workgroups: Math.ceil(size / workgroup),
    }
  })
})
