// Launches copy.wgsl: a box of elements from strided places to strided places, or one value to strided places. Elements
// move as 32-bit words, so that any dtype of four bytes keeps its bits, and narrower ones where whole words move; where
// they do not, permute, slice, expand, cat and pad throw.

import { byteSize, bytesOf, fromFloat32, KernelError, type DType, type Shape } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Dispatch } from '../../tensor/webgpu/launch.js'
import { boxLaunches, mergeAxes, type Strided } from '../common/boxes.js'

/** to[i] = from[i], or the value, for every index i of the shape. */
export interface Copy {
  readonly shape: Shape
  readonly to: Strided
  readonly from: Strided | number
}

/**
 * Dispatches for copies of which none is empty. Throws a KernelError when narrow elements would have to move singly.
 */
export function copyDispatches(where: string, copies: readonly Copy[], facts: AdapterFacts): Dispatch[] {
  return copies.flatMap(copy => {
    const value = typeof copy.from === 'number' ? copy.from : undefined
    const { shape, operands } = inWords(where, copy)
    return boxLaunches(where, shape, operands, facts, true).map(
      ({ windows, aligned, defines, uniforms, workgroups }): Dispatch => {
        const [out, x] = windows
        const four = aligned.every(Boolean)
        return {
          shader: 'move/copy.wgsl',
          defines: { FILL: value !== undefined, FOUR: four, WIDE: four || defines.TURNED, ...defines },
          bindings: value === undefined ? { out, x } : { out },
          uniforms: { ...uniforms, fill: value === undefined ? 0 : wordOf(copy.to.tensor.dtype, value) },
          workgroups,
        }
      },
    )
  })
}

/** An element as a 32-bit word, repeated where elements are narrower. */
export function wordOf(dtype: DType, value: number): number {
  const elements = fromFloat32(dtype, new Array<number>(4 / byteSize(dtype)).fill(value))
  return new Uint32Array(elements.buffer)[0]
}

// The copy with 32-bit words for elements.
function inWords(where: string, { shape, to, from }: Copy): { shape: Shape; operands: Strided[] } {
  const operands = typeof from === 'number' ? [to] : [to, from]
  const { dtype } = to.tensor
  const perWord = 4 / byteSize(dtype)
  const merged = mergeAxes(
    shape,
    operands.map(({ strides }) => strides),
  )
  const inner = merged.shape.length - 1
  const whole = (n: number) => n % perWord === 0
  const moves =
    perWord === 1 ||
    (whole(merged.shape[inner]) &&
      merged.strides.every(list => list[inner] === 1 && list.slice(0, inner).every(whole)) &&
      operands.every(({ start }) => whole(start)))
  if (!moves)
    throw new KernelError({
      where,
      what: `${dtype} elements cannot be moved singly`,
      expected: 'runs of whole 32-bit words',
      got: `runs of ${merged.shape[inner]}`,
      hint: 'f32, by cast',
    })
  const words = (n: number) => n / perWord
  return {
    shape: merged.shape.with(inner, words(merged.shape[inner])),
    operands: operands.map(({ tensor, start }, k) => ({
      tensor: { storage: tensor.storage, shape: [Math.ceil(bytesOf(tensor) / 4)], dtype: 'u32' },
      start: words(start),
      strides: merged.strides[k].map((stride, axis) => (axis === inner ? stride : words(stride))),
    })),
  }
}
