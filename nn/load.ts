// Filling a model's weights from a file. First everything is compared: names and shapes, all differences in one error.
// Then the tensors stream to the device in pieces, so that host memory stays small whatever the size of the model.

import type { TensorFile, TensorInfo } from '../tensor/files/index.js'
import { quote } from '../tensor/files/quote.js'
import {
  allocateHost,
  FileError,
  keep,
  scope,
  showShape,
  sizeOf,
  Tensor,
  toFloat32,
  type DType,
  type HostArray,
  type Runtime,
  type Shape,
} from '../tensor/index.js'
import type { Parameter, Weights } from './weights.js'

const floats: readonly DType[] = ['f32', 'f16', 'bf16']
const namesShown = 8

/** A tensor that is in the file but not as the model needs it. */
export interface Misfit {
  readonly name: string
  readonly expected: string
  readonly got: string
}

/** A checkpoint that is not of this model. The message shows a few names of each kind; the fields hold them all. */
export class WeightsError extends FileError {
  constructor(
    where: string,
    /** Needed, but not in the file. */
    readonly missing: readonly string[],
    /** In the file, but without a use. */
    readonly unused: readonly string[],
    /** Of another shape, or not floating-point numbers. */
    readonly misfits: readonly Misfit[],
  ) {
    const shown = misfits.map(({ name, expected, got }) => `${quote(name)} expected ${expected} got ${got}`)
    const parts = [list('missing', missing.map(quote)), list('unused', unused.map(quote)), list('misshapen', shown)]
    super({ where, what: `weights do not fit the model: ${parts.filter(part => part !== '').join('; ')}` })
  }
}

function list(kind: string, items: readonly string[]): string {
  if (items.length === 0) return ''
  const rest = items.length - namesShown
  return `${items.length} ${kind}: ${items.slice(0, namesShown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** What to load, and who hears of it. */
export interface LoadOptions {
  /** Names that a file may hold without the model having a use for them. */
  ignore?: readonly string[]
  /** Beginnings of the names that are wanted: the others are compared, and stay unloaded. Default: all are wanted. */
  only?: readonly string[]
  /** Called after each tensor with the bytes read so far and in all. */
  progress?: (done: number, total: number) => void
  /** Stops between two pieces; what was loaded is released. */
  signal?: AbortSignal
}

/**
 * Fills all weights of a model from a checkpoint. Throws a WeightsError that lists everything missing, unused and
 * misshapen before anything is loaded; a FileError if the file breaks off; an OutOfMemoryError. After an error no
 * weight stays loaded.
 */
export async function loadWeights(
  runtime: Runtime,
  weights: Weights,
  file: TensorFile,
  { ignore, only, progress, signal }: LoadOptions = {},
): Promise<void> {
  checkWeights(weights, file, ignore)
  const jobs = wantedOf(weights, only).map(parameter => ({ parameter, info: infoOf(file, parameter) }))
  const total = jobs.reduce((sum, { info }) => sum + info.byteSize, 0)
  let done = 0
  try {
    for (const { parameter, info } of jobs) {
      await loadParameter(runtime, parameter, file, info, signal)
      done += info.byteSize
      progress?.(done, total)
    }
  } catch (error) {
    weights.dispose()
    throw error
  }
}

/** The same for a whole model. */
export interface ModelLoadOptions<M> extends LoadOptions {
  /** The model's `Weights.chunkBytes`; default: as it is. */
  chunkBytes?: number
  /**
   * What the model is going to be used for. It is called with a twin of the model on a runtime without memory, for
   * tensors of the right shapes, and what it needs is compiled while the weights load (see Runtime.warmUp).
   */
  warmUp?: (model: M, runtime: Runtime) => void
}

function wantedOf(weights: Weights, only: readonly string[] = ['']): Parameter[] {
  return [...weights.parameters.values()].filter(({ name }) => only.some(start => name.startsWith(start)))
}

/** Builds a model and loads its weights. Errors: as loadWeights, and those of the warm-up. */
export async function loadModel<M extends { readonly weights: Weights }>(
  runtime: Runtime,
  build: () => M,
  file: TensorFile,
  { warmUp, chunkBytes, ...options }: ModelLoadOptions<M> = {},
): Promise<M> {
  const model = build()
  model.weights.chunkBytes = chunkBytes ?? model.weights.chunkBytes
  const stored = ({ name }: Parameter) => file.tensors.get(name)?.dtype ?? 'f32'
  const { only } = options
  const warm = warmUp && runtime.warmUp(dry => rehearse(dry, build(), { dtypeOf: stored, only, chunkBytes }, warmUp))
  // If loading fails, that is the error to tell.
  warm?.catch(() => undefined)
  await loadWeights(runtime, model.weights, file, options)
  try {
    await unlessAborted(warm, options.signal)
  } catch (error) {
    model.weights.dispose()
    throw error
  }
  return model
}

/** Waits for some work, or until the signal is aborted: then it throws the reason, and the work goes on unheard. */
async function unlessAborted(work: Promise<void> | undefined, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const done = new AbortController()
  const stopped = new Promise<never>((_, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason), { signal: done.signal }),
  )
  await Promise.race([work, stopped]).finally(() => done.abort())
}

/** How the weights of a rehearsal are. */
export interface RehearsalOptions extends Pick<LoadOptions, 'only'> {
  /** The float type that a file holds a weight in. */
  dtypeOf: (parameter: Parameter) => DType
  /** The model's `Weights.chunkBytes`; default: as it is. */
  chunkBytes?: number
}

/**
 * Uses a model on a runtime without memory: its weights have shapes and dtypes, but no contents. Everything is released
 * afterwards.
 */
export function rehearse<M extends { readonly weights: Weights }>(
  dry: Runtime,
  model: M,
  { dtypeOf, only, chunkBytes }: RehearsalOptions,
  use: (model: M, runtime: Runtime) => void,
): void {
  const { weights } = model
  weights.chunkBytes = chunkBytes ?? weights.chunkBytes
  try {
    for (const parameter of wantedOf(weights, only)) parameter.replace(allocateFor(dry, parameter, dtypeOf(parameter)))
    scope(() => use(model, dry))
  } finally {
    weights.dispose()
  }
}

/** Memory for a weight, in the care of the caller. */
function allocateFor(runtime: Runtime, { name, shape, options }: Parameter, dtype: DType): Tensor {
  return keep(Tensor.allocate(runtime, shape, options.dtype === 'f32' ? 'f32' : dtype, name))
}

function infoOf(file: TensorFile, { name }: Parameter): TensorInfo {
  const info = file.tensors.get(name)
  if (!info) throw new WeightsError(file.name, [name], [], [])
  return info
}

/**
 * Compares names, shapes and dtypes with those of a checkpoint, whose header suffices. Throws a WeightsError that lists
 * everything missing, unused and misshapen.
 *
 * @param ignore names that the file may hold without the model having a use for them
 */
export function checkWeights({ parameters }: Weights, file: TensorFile, ignore: readonly string[] = []): void {
  const ignored = new Set(ignore)
  const missing = [...parameters.keys()].filter(name => !file.tensors.has(name))
  const unused = [...file.tensors.keys()].filter(name => !parameters.has(name) && !ignored.has(name))
  const misfits: Misfit[] = []
  for (const parameter of parameters.values()) {
    const info = file.tensors.get(parameter.name)
    if (info && !(fits(parameter, info.shape) && floats.includes(info.dtype)))
      misfits.push({
        name: parameter.name,
        expected: `floats ${showShape(parameter.storedShape)}`,
        got: `${info.stored} ${showShape(info.shape)}`,
      })
  }
  if (missing.length + unused.length + misfits.length > 0) throw new WeightsError(file.name, missing, unused, misfits)
}

function fits({ storedShape, options }: Parameter, shape: Shape): boolean {
  const lacking = storedShape[1] - shape[1]
  return (
    shape.length === storedShape.length &&
    shape.every(
      (n, axis) => n === storedShape[axis] || (axis === 1 && lacking > 0 && lacking <= (options.optionalInputs ?? 0)),
    )
  )
}

async function loadParameter(
  runtime: Runtime,
  parameter: Parameter,
  file: TensorFile,
  info: TensorInfo,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, options } = parameter
  const tensor = allocateFor(runtime, parameter, info.dtype)
  try {
    const row = sizeOf(info.shape.slice(1))
    let offset = 0
    for await (const rows of wholeRows(file, name, row)) {
      signal?.throwIfAborted()
      const data = arrange(parameter, info, options.dtype === 'f32' ? toFloat32(info.dtype, rows) : rows)
      runtime.upload(tensor.storage, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
      offset += data.byteLength
    }
  } catch (error) {
    tensor.dispose()
    throw error
  }
  parameter.replace(tensor)
}

/**
 * A tensor in pieces of whole rows; all pieces but the last have an even number of them, so that uploads stay aligned.
 */
async function* wholeRows(file: TensorFile, name: string, row: number): AsyncGenerator<HostArray, void, undefined> {
  let rest: HostArray | undefined
  for await (const { data } of file.chunks(name)) {
    const joined: HostArray = rest ? join(rest, data) : data
    const whole = joined.length - (joined.length % (2 * row))
    if (whole > 0) yield joined.subarray(0, whole)
    rest = whole < joined.length ? joined.slice(whole) : undefined
  }
  if (rest) yield rest
}

function join<T extends HostArray>(a: T, b: HostArray): T {
  const out = new (a.constructor as new (length: number) => T)(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

/**
 * Rows [I', ...kernel] of a checkpoint in the parameter's layout, inputs that the checkpoint lacks filled with zeros.
 */
function arrange({ storedShape, options }: Parameter, info: TensorInfo, rows: HostArray): HostArray {
  const [, inputs, ...kernelShape] = storedShape
  const stored = info.shape[1]
  const kernel = sizeOf(kernelShape)
  const last = options.layout === 'channels-last'
  if (inputs === stored && (!last || kernel === 1)) return rows
  const [inputStride, tapStride] = last ? [1, inputs] : [kernel, 1]
  const dtype = options.dtype === 'f32' ? 'f32' : info.dtype
  const count = rows.length / (stored * kernel)
  const out = allocateHost(dtype, count * inputs * kernel)
  // Taps outermost: then writes are consecutive, and the reads of a row stay in the cache.
  for (let row = 0; row < count; row++)
    for (let tap = 0; tap < kernel; tap++) {
      const from = row * stored * kernel + tap
      const to = row * inputs * kernel + tap * tapStride
      for (let input = 0; input < stored; input++) out[to + input * inputStride] = rows[from + input * kernel]
    }
  return out
}
