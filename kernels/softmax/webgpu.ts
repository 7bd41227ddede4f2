// Launches softmax.wgsl, over windows of the outermost axes where an operand does not fit its binding.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, type Dispatch } from '../../tensor/webgpu/launch.js'
import { workgroupOf } from '../common/workgroup.js'
import { lineSizes } from '../reduce/line.js'
import { lineLaunches } from '../reduce/line-launches.js'
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
  const where = params.log ? 'logSoftmax' : 'softmax'
  return lineLaunches(where, x, out, length, params, facts).map(({ lines, bindings, uniforms }): Dispatch => ({
    shader: 'softmax/softmax.wgsl',
    defines: { X_FORMAT: x.dtype, SHARED: shared, WORKGROUP: workgroup, LOG: params.log },
    bindings,
    uniforms,
    workgroups: shared ? lines : Math.ceil(lines / workgroup),
  }))
})
