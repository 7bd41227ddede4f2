// Comparing what modules inside a model give with what they gave in the reference: the `inter.<name>` tensors of a
// golden file.

import { permute } from '../../kernels/index.js'
import type { Weights } from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { keep, sizeOf, type Shape, type Tensor } from '../../tensor/index.js'
import { compare, readNumbers, take, type Numbers, type VerifyCase } from './outcome.js'

const prefix = 'inter.'

/** Channels last to channels second, as torch keeps them. */
export function channelsFirst(x: Tensor): Tensor {
  const last = x.shape.length - 1
  return permute(x, [0, last, ...x.shape.slice(1, -1).map((_, i) => i + 1)])
}

/** [B, C, ...] to [B, ..., C]; a convolution's weight [O, I, ...] to [O, ..., I]. */
export function channelsLast(x: Tensor): Tensor {
  return permute(x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1])
}

/** Keeps the outputs of those modules of a model that a golden file has. */
export class SeenModules implements Disposable {
  readonly #seen = new Map<string, Tensor>()
  /** Names in the file by those of the modules. */
  readonly #names: ReadonlyMap<string, string>

  /** `aliases`: names in the file that are not those of modules, and the modules whose outputs they are. */
  constructor(
    private readonly weights: Weights,
    private readonly file: TensorFile,
    aliases: Readonly<Record<string, string>> = {},
  ) {
    const inter = [...file.tensors.keys()].filter(name => name.startsWith(prefix))
    const names = inter.map(name => name.slice(prefix.length))
    this.#names = new Map(names.map(name => [Object.hasOwn(aliases, name) ? aliases[name] : name, name]))
    weights.observer = (name, tensor) => {
      const seen = this.#names.get(name)
      if (seen !== undefined) this.#put(seen, tensor)
    }
  }

  /** Compares every module of the file; one that was not seen fails. */
  async *compare(name: string, tolerance: (module: string) => number): AsyncGenerator<VerifyCase, void, undefined> {
    for (const module of this.#names.values()) {
      const tensor = prefix + module
      const allowed = tolerance(module)
      const seen = this.#seen.get(module)
      if (!seen) {
        yield { name, tensor, error: Infinity, tolerance: allowed, ok: false, message: 'no such module was run' }
        continue
      }
      const { shape } = this.file.tensors.get(tensor)!
      const actual = await take(shape.length >= 4 ? channelsFirst(seen) : seen.share())
      yield compare(name, tensor, repeated(actual, shape), await this.#expected(tensor), allowed)
    }
  }

  [Symbol.dispose](): void {
    this.weights.observer = undefined
    for (const tensor of this.#seen.values()) tensor.dispose()
  }

  #put(name: string, tensor: Tensor): void {
    this.#seen.get(name)?.dispose()
    this.#seen.set(name, keep(tensor.share()))
  }

  async #expected(tensor: string): Promise<Numbers> {
    const { data, shape } = await readNumbers(this.file, tensor)
    // Here the norm before conv_out comes with its activation.
    const isNorm = tensor.endsWith('conv_norm_out')
    return { data: isNorm ? Float32Array.from(data, x => x / (1 + Math.exp(-x))) : data, shape }
  }
}

/** The reference repeats embeddings for each frame or video, and folds axes; here they are made once and unfolded. */
function repeated({ data, shape }: Numbers, goal: Shape): Numbers {
  const size = sizeOf(goal)
  if (size === data.length) return { data, shape: goal }
  if (data.length === 0 || size % data.length !== 0) return { data, shape }
  return { data: Float32Array.from({ length: size }, (_, i) => data[i % data.length]), shape: goal }
}
