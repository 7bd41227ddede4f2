// State of a training run in a file: tensors by name, and a count of steps.

import type { SafetensorsEntry, TensorFile } from '../../tensor/files/index.js'
import { FileError, overwrite, sameShape, showShape, type Tensor } from '../../tensor/index.js'

/** Tensors that change in place, f32, by their names in the file. */
export type State = readonly (readonly [name: string, tensor: Tensor])[]

/** What is to be written: the tensors are read back when their turn comes. */
export function stateEntries(counter: string, steps: number, state: State): SafetensorsEntry[] {
  const tensors = state.map(([name, tensor]): SafetensorsEntry => {
    const { dtype, shape } = tensor
    return { name, dtype, shape, data: () => tensor.data() }
  })
  return [{ name: counter, dtype: 'i32', shape: [1], data: Int32Array.of(steps) }, ...tensors]
}

/**
 * Gives tensors the contents that a file has for them, once all are found to fit, and returns its count of steps. Throws
 * a FileError if one is missing or of another kind.
 */
export async function loadState(file: TensorFile, counter: string, state: State): Promise<number> {
  for (const [name, { shape }] of [...state, [counter, { shape: [1] }] as const]) {
    const info = file.tensors.get(name)
    const dtype = name === counter ? 'i32' : 'f32'
    if (info?.dtype !== dtype || !sameShape(info.shape, shape))
      throw new FileError({
        where: file.name,
        what: `state ${name} does not fit`,
        expected: `${dtype} ${showShape(shape)}`,
        got: info ? `${info.dtype} ${showShape(info.shape)}` : 'nothing',
      })
  }
  const [steps] = (await file.read(counter)).data
  if (steps < 0) throw new FileError({ where: file.name, what: 'bad count of steps', got: String(steps) })
  for (const [name, tensor] of state) overwrite(tensor, (await file.read(name)).data)
  return steps
}
