// Launches sort.wgsl: stretches first, then merges until one run is left, to and fro between the output and scratch
// space.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, windowOf, wholeWindow, type Dispatch } from '../../tensor/webgpu/launch.js'
import { chunkRows } from '../common/rows.js'
import { streamOf } from '../common/workgroup.js'
import { lineSizes } from '../reduce/line.js'
import { sortOp } from './sort.js'

// Short enough that comparing all with all costs less than the merges that it saves.
const block = 64

export const sortWebGpu = webgpuKernel(sortOp, ({ inputs: { x }, outputs, params, facts, scratch }) => {
  if (sizeOf(x.shape) === 0) return []
  const { outer, length, inner } = lineSizes(x.shape, params)
  const slab = length * inner
  const chunks = chunkRows(
    'sort',
    outer,
    [x, ...outputs].map(({ dtype }) => ({ dtype, perRow: slab })),
    facts,
  )
  const merges = Math.max(0, Math.ceil(Math.log2(length / block)))
  const spare = merges > 0 ? outputs.map(({ dtype }) => scratch([chunks[0].count, slab], dtype)) : []
  const { workgroup } = streamOf(facts)

  return chunks.flatMap(({ start, count }) => {
    const elements = count * slab
    const final = outputs.map(tensor => windowOf(tensor, start * slab, elements, facts))
    const between = spare.map(tensor => ({ window: wholeWindow(tensor), base: 0 }))
    // The last pass writes the output, the one before it the scratch space, and so on back to the first.
    const targetOf = (pass: number) => ((merges - pass) % 2 === 0 ? final : between)

    return Array.from({ length: merges + 1 }, (_, pass): Dispatch => {
      const [values, indices] = targetOf(pass)
      const [from, origins] = pass > 0 ? targetOf(pass - 1) : [windowOf(x, start * slab, elements, facts)]
      return {
        shader: 'sort/sort.wgsl',
        defines: {
          X_FORMAT: pass > 0 ? 'f32' : x.dtype,
          MERGE: pass > 0,
          BLOCK: block,
          WORKGROUP: workgroup,
        },
        bindings: {
          x: from.window,
          values: values.window,
          indices: indices.window,
          ...(pass > 0 && { origins: origins.window }),
        },
        uniforms: {
          elements,
          length,
          inner,
          run: block * 2 ** (pass - 1),
          flip: params.descending ? 0xffffffff : 0,
          x_base: from.base,
          out_base: values.base,
        },
        workgroups: Math.ceil(elements / workgroup),
      }
    })
  })
})
