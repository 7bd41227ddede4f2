// Golden random numbers of torch's generator on the CPU: for each seed one fresh generator per `randn/<seed>/<n>`; one
// for `sequence/<seed>/a`, b, c in this order; one for rand, randint (0..999) and randperm in this order.

import type { TensorFile } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { Generator } from '../../tensor/random.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { withFile } from './network.js'
import { compare, readNumbers, type VerifyCase } from './outcome.js'

// From 16 numbers on torch uses approximations in f32 of logarithm, sine and cosine.
const normalTolerance = 1e-6

const draws = {
  randn: (generator: Generator, n: number) => generator.randn(n),
  sequence: (generator: Generator, n: number) => generator.randn(n),
  rand: (generator: Generator, n: number) => generator.rand(n),
  randint: (generator: Generator, n: number) => generator.randint(0, 1000, n),
  randperm: (generator: Generator, n: number) => generator.randperm(n),
}
type Draw = keyof typeof draws

// What is drawn from one generator, in order.
const uniform: readonly string[] = ['rand', 'randint', 'randperm'] satisfies Draw[]

/** Draws what the tensors of a file hold, in the order in which torch drew it. */
async function* drawAll(title: string, file: TensorFile): AsyncGenerator<VerifyCase, void, undefined> {
  const generators = new Map<string, Generator>()
  const order = (tensor: string) => {
    const [draw, seed, last] = tensor.split('/')
    return `${seed}/${uniform.includes(draw) ? uniform.indexOf(draw) : last}`
  }
  const names = [...file.tensors.keys()].sort((a, b) => (order(a) < order(b) ? -1 : 1))
  for (const tensor of names) {
    const [draw, seed] = tensor.split('/')
    if (!Object.hasOwn(draws, draw) || !/^\d{1,15}$/.test(seed))
      throw new FileError({ where: file.name, what: `no draw that is known: ${tensor}` })
    const group = draw === 'randn' ? tensor : `${uniform.includes(draw) ? 'uniform' : draw}/${seed}`
    const generator = generators.get(group) ?? new Generator(Number(seed))
    generators.set(group, generator)
    const expected = await readNumbers(file, tensor)
    const data = Float32Array.from(draws[draw as Draw](generator, expected.data.length))
    const tolerance = uniform.includes(draw) ? 0 : normalTolerance
    yield compare(title, tensor, { data, shape: expected.shape }, expected, tolerance)
  }
}

export const randomKind: GoldenKind = {
  claim: ({ files }) => (files.has('random.safetensors') ? ['random'] : []),
  verify: (folder: GoldenFolder) => withFile(folder, 'random', file => drawAll(folder.titleOf('random'), file)),
}
