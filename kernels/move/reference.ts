// Data movement, plain: for every element of the output, which element of the input it is.

import { broadcastStrides, stridesOf } from '../../tensor/index.js'
import { referenceKernel } from '../../tensor/reference/compute.js'
import { offsetOf, walk } from '../common/walk.js'
import { catOp, catStarts } from './cat.js'
import { expandOp } from './expand.js'
import { padOp } from './pad.js'
import { permuteOp } from './permute.js'
import { sliceOp } from './slice.js'

export const permuteReference = referenceKernel(permuteOp, ({ x }, [out], { axes }) => {
  const strides = stridesOf(x.shape)
  const permuted = axes.map(axis => strides[axis])
  walk(out.shape, (index, i) => {
    out.data[i] = x.data[offsetOf(index, permuted)]
  })
})

export const sliceReference = referenceKernel(sliceOp, ({ x }, [out], { axis, start, step }) => {
  const strides = stridesOf(x.shape)
  walk(out.shape, (index, i) => {
    out.data[i] = x.data[offsetOf(index.with(axis, start + index[axis] * step), strides)]
  })
})

export const expandReference = referenceKernel(expandOp, ({ x }, [out]) => {
  const strides = broadcastStrides(x.shape, out.shape)
  walk(out.shape, (index, i) => {
    out.data[i] = x.data[offsetOf(index, strides)]
  })
})

export const catReference = referenceKernel(catOp, (operands, [out], { axis }) => {
  const parts = Object.values(operands)
  const starts = catStarts(parts, axis)
  const strides = stridesOf(out.shape)
  parts.forEach(({ shape, data }, part) =>
    walk(shape, (index, i) => {
      out.data[offsetOf(index.with(axis, starts[part] + index[axis]), strides)] = data[i]
    }),
  )
})

export const padReference = referenceKernel(padOp, ({ x }, [out], { widths, mode, value }) => {
  const strides = stridesOf(x.shape)
  walk(out.shape, (index, i) => {
    const place = index.map((n, axis) => {
      const at = n - widths[axis][0]
      const last = x.shape[axis] - 1
      if (mode === 'replicate') return Math.min(Math.max(at, 0), last)
      if (mode === 'reflect') return at < 0 ? -at : at > last ? 2 * last - at : at
      return at
    })
    const inside = place.every((n, axis) => n >= 0 && n < x.shape[axis])
    out.data[i] = inside ? x.data[offsetOf(place, strides)] : value
  })
})
