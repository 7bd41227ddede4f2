// Pointwise arithmetic: what an unfused activation and residual cost.

import { add, silu } from '../../kernels/index.js'
import { into } from '../../nn/into.js'
import type { Shape } from '../../tensor/index.js'
import type { Case, SizeClass } from '../case.js'

function siluAdd(shape: Shape): Case {
  return {
    kernel: 'elementwise',
    name: `silu + add, ${shape.join(' x ')}`,
    unit: 'GB/s',
    operands: { x: { shape }, y: { shape } },
    run: ({ x, y }) => into(silu(x), h => add(h, y)),
    check:
      ({ x, y }) =>
      index =>
        x[index] / (1 + Math.exp(-x[index])) + y[index],
    peer: { op: 'silu_add' },
  }
}

export const elementwiseCases: Record<SizeClass, Case[]> = {
  software: [siluAdd([2, 72, 128, 320]), siluAdd([9, 72, 128, 320])],
  full: [siluAdd([2, 72, 128, 320]), siluAdd([25, 72, 128, 320])],
}
