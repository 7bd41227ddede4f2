// A model's weights: declared by name, compared with the file as a whole, streamed to the device.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadModel, loadWeights, Weights, WeightsError } from '../../nn/index.js'
import { openSafetensors, writeSafetensors, type TensorFile } from '../../tensor/files/index.js'
import {
  byteSize,
  FileError,
  fromFloat32,
  LifetimeError,
  ShapeError,
  sizeOf,
  Tensor,
  UsageError,
  type DType,
  type Shape,
} from '../../tensor/index.js'
import { onRuntimes, referenceRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const runtimes = [reference, await webgpuRuntime()]

/** 0, 1, 2, ...: every element says where it came from. */
const counting = (shape: Shape) => Array.from({ length: sizeOf(shape) }, (_, i) => i)

/** A file with counting numbers in each tensor. */
async function fileOf(t: Test, tensors: Record<string, [DType, Shape]>): Promise<TensorFile> {
  const path = join(t.testdir(), 'model.safetensors')
  const entries = Object.entries(tensors).map(([name, [dtype, shape]]) => ({
    name,
    dtype,
    shape,
    data: fromFloat32(dtype, counting(shape)),
  }))
  await writeSafetensors(path, entries)
  const file = await openSafetensors(path)
  t.teardown(() => file.close())
  return file
}

/** A file that comes in pieces of `piece` elements and, if asked to, breaks off in a tensor of the given name. */
function inPieces(tensors: Record<string, [DType, Shape]>, piece: number, breaksAt?: string): TensorFile {
  const all = Object.entries(tensors).map(([name, [dtype, shape]]) => ({ name, dtype, shape }))
  return {
    name: 'pieces',
    metadata: new Map(),
    tensors: new Map(
      all.map(({ name, dtype, shape }) => [
        name,
        { dtype, shape, stored: dtype === 'f16' ? 'F16' : 'F32', byteSize: sizeOf(shape) * byteSize(dtype) },
      ]),
    ),
    read: () => Promise.reject(new Error('loading reads in pieces')),
    async *chunks(name) {
      const [dtype, shape] = tensors[name]
      const data = fromFloat32(dtype, counting(shape))
      for (let start = 0; start < data.length; start += piece) {
        if (start > 0 && name === breaksAt)
          throw new FileError({ where: name, what: 'read beyond the end of the file' })
        yield { start, data: data.slice(start, start + piece) }
      }
    },
    close: () => Promise.resolve(),
  }
}

/** Element [o, tap, i] of a kernel that was [o, i, tap] in a file of counting numbers. */
function channelsLast(outputs: number, inputs: number, taps: number): number[] {
  return counting([outputs, taps, inputs]).map(n => {
    const [o, tap, i] = [Math.floor(n / (taps * inputs)), Math.floor(n / inputs) % taps, n % inputs]
    return (o * inputs + i) * taps + tap
  })
}

void t.test('weights arrive under their names, in the layout and width that modules want', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const weights = new Weights()
    const scope = weights.scope('down').at('blocks', 0)
    const matrix = scope.parameter('weight', [3, 5])
    const bias = scope.parameter('bias', [3], { dtype: 'f32' })
    const kernel = scope.at('conv').parameter('weight', [3, 5, 3, 1], { layout: 'channels-last' })
    t.throws(() => matrix.value, LifetimeError, 'not before it is loaded')
    const file = await fileOf(t, {
      'down.blocks.0.weight': ['bf16', [3, 5]],
      'down.blocks.0.bias': ['f16', [3]],
      'down.blocks.0.conv.weight': ['f16', [3, 5, 3, 1]],
    })
    const seen: number[] = []
    await loadWeights(runtime, weights, file, { progress: (done, total) => seen.push(done / total) })
    t.equal(weights.size, 15 + 3 + 45)
    t.same(
      seen,
      [30, 36, 126].map(bytes => bytes / 126),
      'progress goes to 1',
    )
    t.equal(matrix.value.dtype, 'bf16', 'a matrix stays as narrow as it was')
    t.same([...(await matrix.value.floats())], counting([3, 5]))
    t.equal(bias.value.dtype, 'f32', 'a small vector is widened')
    t.same([...(await bias.value.floats())], [0, 1, 2])
    t.same(kernel.value.shape, [3, 3, 1, 5])
    t.same([...(await kernel.value.floats())], channelsLast(3, 5, 3))
    weights.dispose()
    t.equal(runtime.statistics().live, 0, 'and go back')
  }),
)

void t.test('pieces that end anywhere give the same weights', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    for (const dtype of ['f16', 'f32'] as const)
      for (const piece of [1, 4, 7, 32]) {
        using weights = new Weights()
        const matrix = weights.scope().parameter('matrix', [7, 3])
        const kernel = weights.scope().parameter('kernel', [7, 3, 3], { layout: 'channels-last' })
        await loadWeights(runtime, weights, inPieces({ matrix: [dtype, [7, 3]], kernel: [dtype, [7, 3, 3]] }, piece))
        t.same([...(await matrix.value.floats())], counting([7, 3]), `matrix ${dtype}, pieces of ${piece}`)
        t.same([...(await kernel.value.floats())], channelsLast(7, 3, 3), `kernel ${dtype}, pieces of ${piece}`)
      }
  }),
)

void t.test('inputs that a checkpoint may lack get zero weights', async t => {
  using weights = new Weights()
  const kernel = weights.scope().parameter('k', [2, 3, 2], { layout: 'channels-last', optionalInputs: 2 })
  await loadWeights(reference, weights, inPieces({ k: ['f16', [2, 1, 2]] }, 64))
  t.same([...(await kernel.value.floats())], [0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0])
  const tooFew = new Weights()
  tooFew.scope().parameter('k', [2, 4, 2], { optionalInputs: 2 })
  await t.rejects(loadWeights(reference, tooFew, inPieces({ k: ['f16', [2, 1, 2]] }, 64)), WeightsError)
})

void t.test('all that does not fit is told at once, before anything is loaded', async t => {
  const weights = new Weights()
  const scope = weights.scope('a')
  for (const [name, shape] of [
    ['fine', [2]],
    ['long', [3]],
    ['whole', [4]],
    ['gone', [5]],
  ] as const)
    scope.parameter(name, shape)
  for (let i = 0; i < 20; i++) scope.parameter(`also.gone.${i}`, [1])
  const file = await fileOf(t, {
    'a.fine': ['f16', [2]],
    'a.long': ['f16', [3, 1]],
    'a.whole': ['i32', [4]],
    'a.extra\nline': ['f16', [1]],
    position_ids: ['i32', [1, 4]],
  })
  const before = reference.statistics()
  const error = await loadWeights(reference, weights, file, { ignore: ['position_ids'] }).catch((e: unknown) => e)
  if (!(error instanceof WeightsError)) throw error
  t.ok(error instanceof FileError)
  t.same(error.missing, ['a.gone', ...Array.from({ length: 20 }, (_, i) => `a.also.gone.${i}`)])
  t.same(error.unused, ['a.extra\nline'])
  t.same(
    error.misfits.map(({ name, expected, got }) => [name, expected, got]),
    [
      ['a.long', 'floats [3]', 'F16 [3, 1]'],
      ['a.whole', 'floats [4]', 'I32 [4]'],
    ],
  )
  for (const part of ['21 missing: "a.gone"', 'and 13 more', '1 unused: "a.extra\\nline"', '2 misshapen: "a.long"'])
    t.ok(error.message.includes(part), part)
  t.notOk(error.message.includes('\n'), 'on one line')
  t.same(reference.statistics().misses, before.misses, 'nothing was allocated')
})

void t.test('a load that breaks off leaves nothing behind', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const tensors: Record<string, [DType, Shape]> = { first: ['f32', [8]], second: ['f32', [8]] }
    const weights = new Weights()
    for (const [name, [, shape]] of Object.entries(tensors)) weights.scope().parameter(name, shape)
    await t.rejects(loadWeights(runtime, weights, inPieces(tensors, 4, 'second')), FileError, 'a broken file')
    t.equal(runtime.statistics().live, 0)
    const cancel = new AbortController()
    const progress = () => cancel.abort()
    const aborted = loadWeights(runtime, weights, inPieces(tensors, 4), { progress, signal: cancel.signal })
    await t.rejects(aborted, { name: 'AbortError' })
    t.equal(runtime.statistics().live, 0)
  }),
)

void t.test('a load that waits for shaders alone can be stopped as well', async t => {
  const runtime = await referenceRuntime()
  runtime.warmUp = () => new Promise(() => undefined)
  const cancel = new AbortController()
  const build = () => {
    const weights = new Weights()
    weights.scope().parameter('a', [4])
    return { weights }
  }
  const progress = () => void setImmediate(() => cancel.abort(new Error('enough')))
  const options = { warmUp: () => undefined, progress, signal: cancel.signal }
  await t.rejects(loadModel(runtime, build, inPieces({ a: ['f32', [4]] }, 4), options), { message: 'enough' })
  t.equal(runtime.statistics().live, 0)
})

void t.test('a weight can be replaced by one of its own shape, and has one owner', async t => {
  using weights = new Weights()
  const parameter = weights.scope().parameter('kernel', [2, 3, 2], { layout: 'channels-last' })
  const fresh = () => Tensor.from(reference, new Float32Array(12), [2, 2, 3])
  const first = fresh()
  parameter.replace(first)
  parameter.replace(fresh())
  t.ok(first.disposed)
  const other = fresh().reshape([2, 3, 2])
  t.throws(() => parameter.replace(other), ShapeError)
  other.dispose()
  t.throws(() => weights.scope().parameter('kernel', [1]), UsageError, 'names are given once')
})
