// Golden files of rotations: rotation vectors, matrices, quaternions (w first) and six numbers.

import { differentiate, mul, sum } from '../../kernels/index.js'
import {
  angleBetween,
  fromAxisAngle,
  fromMatrix,
  fromSix,
  multiply,
  quaternionAt,
  toAxisAngle,
  toMatrix,
  vectorAt,
} from '../../models/body/quaternion.js'
import {
  matricesOfAxisAngle,
  matricesOfQuaternions,
  matricesOfSix,
  sixOfMatrices,
} from '../../models/body/rotations.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { scope, type Runtime, type Tensor } from '../../tensor/index.js'
import type { GoldenKind } from './kind.js'
import { withFile } from './network.js'
import { compare, compareAbsolutely, readNumbers, readTensor, take, type Numbers, type VerifyCase } from './outcome.js'

const tolerance = 1e-5
const gradientTolerance = 1e-4

async function* verifyRotations(
  name: string,
  file: TensorFile,
  runtime: Runtime,
): AsyncGenerator<VerifyCase, void, undefined> {
  const numbers = (tensor: string) => readNumbers(file, tensor)
  const against = async (tensor: string, f: () => Tensor, expected?: Numbers) =>
    compare(name, tensor, await take(scope(f)), expected ?? (await numbers(tensor)), tolerance)
  const host = async (tensor: string, rows: readonly (readonly number[])[]) =>
    compareAbsolutely(name, `${tensor} (host)`, rows.flat(), (await numbers(tensor)).data, tolerance)

  using vectors = await readTensor(runtime, file, 'axis_angle')
  using matrices = await readTensor(runtime, file, 'matrix')
  using quaternions = await readTensor(runtime, file, 'quat_in_wxyz')
  using six = await readTensor(runtime, file, 'sixd')
  for (const tensor of ['matrix', 'matrix_smplx_batch_rodrigues'])
    yield await against(tensor, () => matricesOfAxisAngle(vectors))
  yield await against('quat_in_matrix', () => matricesOfQuaternions(quaternions))
  yield await against('sixd_matrix_columns_zhou', () => matricesOfSix(six, 'columns'))
  yield await against('sixd_matrix_rows_pytorch3d', () => matricesOfSix(six, 'rows'))
  yield await against('matrix_to_sixd_rows', () => sixOfMatrices(matrices, 'rows'))
  // These are stored line by line: numbers of the two columns take turns.
  const { data, shape } = await numbers('matrix_to_sixd_columns_flat')
  const order = [0, 2, 4, 1, 3, 5]
  const columns = Float32Array.from(data, (_, i) => data[i - (i % 6) + order[i % 6]])
  yield await against('matrix_to_sixd_columns_flat', () => sixOfMatrices(matrices), { data: columns, shape })

  const rows = Array.from({ length: vectors.shape[0] }, (_, i) => i)
  const few = rows.slice(0, quaternions.shape[0])
  const [axisAngle, matrix, quaternion, sixes] = await Promise.all(
    ['axis_angle', 'matrix', 'quat_in_wxyz', 'sixd'].map(async tensor => (await numbers(tensor)).data),
  )
  const turns = rows.map(i => fromAxisAngle(vectorAt(axisAngle, i)))
  const matrixAt = (i: number) => matrix.subarray(9 * i, 9 * i + 9)
  yield await host(
    'matrix',
    turns.map(q => toMatrix(q)),
  )
  // q and -q are the same turn.
  yield await host(
    'quat_wxyz',
    turns.map(q => q.map(x => (q[0] < 0 ? -x : x))),
  )
  yield await host(
    'axis_angle_from_matrix',
    rows.map(i => toAxisAngle(fromMatrix(matrixAt(i)))),
  )
  yield await host(
    'compose_aa_times_quat_axis_angle',
    few.map(i => toAxisAngle(multiply(turns[i], quaternionAt(quaternion, i)))),
  )
  yield await host(
    'sixd_matrix_columns_zhou',
    Array.from({ length: sixes.length / 6 }, (_, i) => toMatrix(fromSix(sixes.subarray(6 * i, 6 * i + 6)))),
  )
  const apart = rows.map(i => angleBetween(turns[i], fromMatrix(matrixAt(i))))
  yield compareAbsolutely(name, 'angles between axis_angle and matrix', apart, new Float32Array(rows.length), tolerance)

  yield await verifyRodrigues(name, file, vectors)
}

/** Gradients of rotation vectors, where the reference's are right: not near 0, where it adds 1e-8 to each number. */
async function verifyRodrigues(name: string, file: TensorFile, vectors: Tensor): Promise<VerifyCase> {
  using upstream = await readTensor(vectors.runtime, file, 'rodrigues_upstream')
  const { gradients } = differentiate([vectors], () => sum(mul(matricesOfAxisAngle(vectors), upstream)))
  const { data, shape } = await take(gradients[0]!)
  const mask = (await readNumbers(file, 'rodrigues_grad_mask')).data
  const masked = Float32Array.from(data, (value, i) => value * mask[Math.floor(i / 3)])
  const tensor = 'rodrigues_grad.axis_angle'
  return compare(name, tensor, { data: masked, shape }, await readNumbers(file, tensor), gradientTolerance)
}

export const rotationsKind: GoldenKind = {
  claim: ({ files }) => (files.has('rotations.safetensors') ? ['rotations'] : []),
  verify: (folder, runtime) =>
    withFile(folder, 'rotations', file => verifyRotations(folder.titleOf('rotations'), file, runtime)),
}
