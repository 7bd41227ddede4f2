// Comparing what modules inside a model give with what they gave in the reference: the `inter.<name>` tensors of a
// golden file.

import type { Test } from 'tap'
import type { Weights } from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { keep, toFloat32, type Tensor } from '../../tensor/index.js'
import { close } from './compare.js'
import { channelsFirst } from './layout.js'

const prefix = 'inter.'

/** Keeps the outputs of those modules of a model that a golden file has. */
export class SeenModules implements Disposable {
  readonly #seen = new Map<string, Tensor>()
  readonly #names: readonly string[]

  constructor(
    weights: Weights,
    private readonly file: TensorFile,
  ) {
    const inter = [...file.tensors.keys()].filter(name => name.startsWith(prefix))
    this.#names = inter.map(name => name.slice(prefix.length))
    const wanted = new Set(this.#names)
    weights.observer = (name, tensor) => {
      if (wanted.has(name)) this.#seen.set(name, keep(tensor.share()))
    }
  }

  /** Asserts that every module of the file was seen, with the numbers of the reference. */
  async compare(t: Test, tolerance: number): Promise<void> {
    for (const name of this.#names) {
      const tensor = this.#seen.get(name)
      if (!tensor) {
        t.fail(`${name} was not observed`)
        continue
      }
      const { dtype, data, shape } = await this.file.read(prefix + name)
      const isPicture = shape.length >= 4
      const floats = await tensor.floats()
      const actual = isPicture ? channelsFirst(floats, tensor.shape) : { data: floats, shape: tensor.shape }
      const expected = toFloat32(dtype, data)
      // Here the norm before conv_out comes with its activation.
      const goal = name.endsWith('conv_norm_out') ? expected.map(x => x / (1 + Math.exp(-x))) : expected
      t.same(actual.shape, shape, `shape of ${name}`)
      close(t, actual.data, goal, tolerance, name)
    }
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#seen.values()) tensor.dispose()
  }
}
