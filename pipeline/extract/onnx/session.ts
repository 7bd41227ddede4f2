// Networks from ONNX files, run by onnxruntime: loaded when first used, and not part of this package.

import { FileError, showShape, sizeOf, UsageError, type Shape } from '../../../tensor/index.js'

/** Numbers with a shape. */
export interface OnnxArray {
  readonly data: Float32Array
  readonly shape: Shape
}

/** What is used of onnxruntime's interface, which onnxruntime-node and onnxruntime-web share. */
export interface OnnxRuntime {
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object
  readonly InferenceSession: {
    create(path: string | Uint8Array): Promise<{
      readonly inputNames: readonly string[]
      readonly outputNames: readonly string[]
      run(feeds: Record<string, object>): Promise<Record<string, { data: unknown; dims: readonly number[] }>>
      release(): Promise<void>
    }>
  }
}

export interface OnnxOptions {
  /** Default: `onnxruntime-node`, as installed beside this package. */
  readonly runtime?: OnnxRuntime
}

/** An open network with one input. */
export interface OnnxNetwork {
  /**
   * Runs it.
   * @param outputs names of outputs with the shapes they must have; -1 stands for any length
   * @throws FileError if the network has other outputs, or gives numbers that are not finite
   */
  run(input: OnnxArray, outputs: Readonly<Record<string, Shape>>): Promise<Record<string, OnnxArray>>
  close(): Promise<void>
}

async function installed(): Promise<OnnxRuntime> {
  // Not written as a plain import: a compiler would look for it.
  const name = 'onnxruntime-node'
  try {
    const found = (await import(name)) as OnnxRuntime & { default?: OnnxRuntime }
    return found.default ?? found
  } catch (cause) {
    const what = 'networks in ONNX files need onnxruntime-node, which is not installed'
    throw new UsageError({ where: 'onnx', what, hint: 'npm install onnxruntime-node' }, { cause })
  }
}

/**
 * Opens an ONNX file.
 *
 * @param input the name of its only input
 * @throws FileError if it cannot be opened or has other inputs; UsageError without onnxruntime
 */
export async function openOnnx(
  file: string | Uint8Array,
  input: string,
  { runtime }: OnnxOptions = {},
): Promise<OnnxNetwork> {
  const where = typeof file === 'string' ? file : 'onnx'
  const { InferenceSession, Tensor } = runtime ?? (await installed())
  const session = await InferenceSession.create(file).catch((cause: unknown) => {
    const got = String(cause instanceof Error ? cause.message : cause).split('\n')[0]
    throw new FileError({ where, what: 'not a network that onnxruntime can open', got: got.slice(0, 200) }, { cause })
  })
  if (session.inputNames.length !== 1 || session.inputNames[0] !== input) {
    const got = session.inputNames.join(', ')
    await session.release()
    throw new FileError({ where, what: 'the network has other inputs', expected: input, got })
  }
  return {
    async run({ data, shape }, outputs) {
      const given = await session.run({ [input]: new Tensor('float32', data, shape) }).catch((cause: unknown) => {
        const got = String(cause instanceof Error ? cause.message : cause).split('\n')[0]
        throw new FileError(
          { where, what: `the network cannot take ${input} ${showShape(shape)}`, got: got.slice(0, 200) },
          { cause },
        )
      })
      const entries = Object.entries(outputs).map(([name, wanted]): [string, OnnxArray] => {
        const found = given[name]
        if (!found) throw new FileError({ where, what: `no output ${name}`, got: session.outputNames.join(', ') })
        return [name, checked(where, name, found, wanted)]
      })
      return Object.fromEntries(entries)
    },
    close: () => session.release(),
  }
}

function checked(
  where: string,
  name: string,
  found: { data: unknown; dims: readonly number[] },
  wanted: Shape,
): OnnxArray {
  const { data, dims } = found
  const fits = dims.length === wanted.length && wanted.every((length, axis) => length < 0 || length === dims[axis])
  if (!fits || !(data instanceof Float32Array) || data.length !== sizeOf(dims))
    throw new FileError({
      where,
      what: `output ${name} has another shape or type`,
      expected: `float32 ${showShape(wanted).replaceAll('-1', '*')}`,
      got: showShape(dims),
    })
  if (!data.every(Number.isFinite)) throw new FileError({ where, what: `output ${name} holds no finite numbers` })
  return { data, shape: dims }
}
