// Golden cases of operators: ops.json lists them, ops.safetensors holds their tensors as `<case>/<name>`.

import { calculusOf } from '../../kernels/index.js'
import { isObject } from '../../models/config-reader.js'
import { quoteValue } from '../../tensor/files/quote.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, scope, Tape, Tensor, UsageError, type Runtime, type Shape } from '../../tensor/index.js'
import { OperatorCall } from './operator-call.js'
import { operatorOf } from './operators.js'
import { compare, compareAbsolutely, readNumbers, readTensor, take, type Numbers, type VerifyCase } from './outcome.js'

const maxCases = 10_000
const gradientPrefix = 'grad.'

// Of results that are sums and functions; what only moves numbers is exact.
export const tolerance = 1e-5
export const gradientTolerance = 1e-4
// Where the true gradient is zero.
const zeroTolerance = 1e-5

/** One case: an operator run by torch on the CPU in f32 (test/golden/README.md). */
export class OpsCase {
  constructor(
    /** Names the case in messages. */
    readonly where: string,
    readonly name: string,
    readonly op: string,
    readonly params: Readonly<Record<string, unknown>>,
    /** Names of its tensors in the file. */
    readonly inputs: readonly string[],
    readonly outputs: readonly string[],
    /** Of those with a golden gradient: `grad.<input>`. */
    readonly gradients: readonly string[],
    /** Of those the ones that are zero but for rounding. */
    private readonly zeros: readonly unknown[],
    private readonly file: TensorFile,
  ) {}

  /** Elements and shape of an input, an output, a gradient, or `upstream`. */
  read(name: string): ReturnType<typeof readNumbers> {
    return readNumbers(this.file, `${this.name}/${name}`)
  }

  /** What an output has. */
  shapeOf(name: string): Shape {
    const info = this.file.tensors.get(`${this.name}/${name}`)
    if (!info) throw new FileError({ where: this.where, what: `no tensor ${name}` })
    return info.shape
  }

  /** The operands on a runtime. The caller releases them. */
  async load(runtime: Runtime): Promise<OpsOperands> {
    const numbers = new Map<string, Numbers>()
    const tensors = new Map<string, Tensor>()
    for (const name of this.inputs) {
      const { dtype, data, shape } = await this.read(name)
      numbers.set(name, { data, shape })
      tensors.set(name, Tensor.from(runtime, data, shape, dtype, name))
    }
    const dispose = () => {
      for (const tensor of tensors.values()) tensor.dispose()
    }
    return { runtime, numbers, tensors, dispose }
  }

  /** Operands that `load` has brought, with the parameters. */
  call({ runtime, numbers, tensors }: OpsOperands): OperatorCall {
    return new OperatorCall(this.where, runtime, tensors, numbers, this.params, this.shapeOf(this.outputs[0]))
  }

  /** The outputs by name, of operands that `load` has brought. Undefined if no operation here is the case's. */
  run(operands: OpsOperands): Record<string, Tensor> | undefined {
    const operator = operatorOf(this.op)
    if (!operator) return undefined
    const call = this.call(operands)
    const result = scope(() => operator.run(call))
    return result instanceof Tensor ? { out: result } : result
  }

  /** Compares the outputs; none if no operation here is the case's. `prefix` comes before the case's name. */
  async compare(runtime: Runtime, prefix = ''): Promise<VerifyCase[]> {
    const name = prefix + this.name
    const allowed = operatorOf(this.op)?.exact ? 0 : tolerance
    const operands = await this.load(runtime)
    try {
      const cases: VerifyCase[] = []
      for (const [output, tensor] of Object.entries(this.run(operands) ?? {}))
        cases.push(compare(name, output, await take(tensor), await this.read(output), allowed))
      return cases
    } finally {
      operands.dispose()
    }
  }

  /** Compares the gradients; undefined if an operation on the way has none. */
  async compareGradients(runtime: Runtime, prefix = ''): Promise<VerifyCase[] | undefined> {
    if (this.gradients.length === 0) return []
    const operands = await this.load(runtime)
    try {
      const found = await this.#differentiate(runtime, operands)
      if (!found) return undefined
      const cases: VerifyCase[] = []
      for (const [i, tensor] of this.gradients.entries()) {
        const expected = await this.read(tensor)
        const actual = found[i] ? await take(found[i]) : { ...expected, data: new Float32Array(expected.data.length) }
        const name = prefix + this.name
        if (this.zeros.includes(tensor))
          cases.push(
            compareAbsolutely(name, tensor, actual.data, new Float32Array(expected.data.length), zeroTolerance),
          )
        else cases.push(compare(name, tensor, actual, expected, gradientTolerance))
      }
      return cases
    } finally {
      operands.dispose()
    }
  }

  /** In the order of `gradients`; undefined for an operand without influence. */
  async #differentiate(runtime: Runtime, operands: OpsOperands): Promise<(Tensor | undefined)[] | undefined> {
    using upstream = await readTensor(runtime, this.file, `${this.name}/upstream`)
    const leaves = this.gradients.map(name => {
      const leaf = operands.tensors.get(name.slice(gradientPrefix.length))
      if (!leaf) throw new FileError({ where: this.where, what: `${name} is of no operand` })
      return leaf
    })
    using tape = new Tape(leaves, calculusOf())
    try {
      return scope(() => {
        const outputs = tape.record(() => this.run(operands))
        return outputs && tape.backward(outputs.out, upstream)
      })
    } catch (error) {
      if (error instanceof UsageError && error.parts.what === 'has no gradient') return undefined
      throw error
    }
  }
}

/** What a case is run on. */
export interface OpsOperands {
  readonly runtime: Runtime
  readonly tensors: ReadonlyMap<string, Tensor>
  /** The same on the host. */
  readonly numbers: ReadonlyMap<string, Numbers>
  dispose(): void
}

/** The cases of ops.json; throws a FileError if it or one of them is malformed. */
export function parseOps(where: string, root: Readonly<Record<string, unknown>>, file: TensorFile): OpsCase[] {
  const { cases } = root
  if (!Array.isArray(cases) || cases.length > maxCases)
    throw new FileError({ where, what: 'not golden cases of operators', expected: `up to ${maxCases} cases` })
  const names = new Map<string, string[]>()
  for (const key of file.tensors.keys()) {
    const slash = key.indexOf('/')
    const [name, tensor] = [key.slice(0, slash), key.slice(slash + 1)]
    const present = names.get(name)
    if (present) present.push(tensor)
    else names.set(name, [tensor])
  }
  return cases.map((record: unknown) => {
    if (!isObject(record) || typeof record.name !== 'string' || typeof record.op !== 'string')
      throw new FileError({ where, what: 'bad case', expected: 'a name and an op', got: quoteValue(record) })
    const { name, op, params = {}, outputs, zero_grads } = record
    const zeros: readonly unknown[] = Array.isArray(zero_grads) ? zero_grads : []
    const listed = isObject(outputs) ? Object.keys(outputs) : []
    if (listed.length === 0 || !isObject(params))
      throw new FileError({ where: `${where}: ${name}`, what: 'bad case', expected: 'outputs and params' })
    const present = names.get(name) ?? []
    const gradients = present.filter(tensor => tensor.startsWith(gradientPrefix))
    const others = new Set([...listed, ...gradients, 'upstream'])
    const inputs = present.filter(tensor => !others.has(tensor))
    return new OpsCase(`${where}: ${name}`, name, op, params, inputs, listed, gradients, zeros, file)
  })
}
