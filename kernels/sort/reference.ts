// Sorting, plain: the host's stable sort of each line's indices.

import { referenceKernel } from '../../tensor/reference/compute.js'
import { lineSizes } from '../reduce/line.js'
import { sortOp } from './sort.js'

/** Ascending, NaN after all else. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

export const sortReference = referenceKernel(sortOp, ({ x }, [values, indices], params) => {
  const { outer, length, inner } = lineSizes(x.shape, params)
  const sign = params.descending ? -1 : 1
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (n: number) => (o * length + n) * inner + i
      const order = Array.from({ length }, (_, n) => n)
      order.sort((a, b) => sign * compare(x.data[at(a)], x.data[at(b)]))
      order.forEach((from, to) => {
        values.data[at(to)] = x.data[at(from)]
        indices.data[at(to)] = from
      })
    }
})
