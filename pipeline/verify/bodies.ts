// Golden files of bodies: rotations, and SMPL-X and SMPL with made-up vertices (test/golden/README.md, smplx-tiny).

import { add, differentiate, mul, sum } from '../../kernels/index.js'
import { Body } from '../../models/body/body.js'
import { readBody } from '../../models/body/read-body.js'
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
import { smplxPose, type SmplxParts } from '../../models/body/smplx.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { scope, type Runtime, type Tensor } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { withFile } from './network.js'
import {
  attempt,
  compare,
  compareAbsolutely,
  readNumbers,
  readTensor,
  take,
  type Numbers,
  type VerifyCase,
  type VerifyOutcome,
} from './outcome.js'

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
  const host = async (tensor: string, rows: readonly (readonly number[])[], allowed = tolerance) =>
    compareAbsolutely(name, `${tensor} (host)`, rows.flat(), (await numbers(tensor)).data, allowed)

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
  yield await host('quat_wxyz', turns)
  yield await host(
    'axis_angle_from_matrix',
    rows.map(i => toAxisAngle(fromMatrix(matrixAt(i)))),
    1e-4, // near half a turn, rounding of a matrix moves the angle this much
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
  yield compareAbsolutely(name, 'angles between axis_angle and matrix', apart, new Float32Array(rows.length), 1e-3)

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

/** The cases of a file: the parts of its tensors' names before the slash. */
function casesOf(file: TensorFile): string[] {
  return [...new Set([...file.tensors.keys()].map(key => key.split('/')[0]))]
}

async function* verifySmplx(
  name: string,
  file: TensorFile,
  body: Body,
): AsyncGenerator<VerifyCase, void, undefined> {
  for (const item of casesOf(file)) {
    const inputs = new Map<string, Tensor>()
    for (const key of inputNames)
      if (file.tensors.has(`${item}/${key}`)) inputs.set(key, await readTensor(body.runtime, file, `${item}/${key}`))
    try {
      yield* verifySmplxCase(name, item, file, body, inputs)
    } finally {
      for (const tensor of inputs.values()) tensor.dispose()
    }
  }
}

const partNames = {
  globalOrient: 'global_orient',
  bodyPose: 'body_pose',
  jawPose: 'jaw_pose',
  leyePose: 'leye_pose',
  reyePose: 'reye_pose',
  leftHandPose: 'left_hand_pose',
  rightHandPose: 'right_hand_pose',
} as const satisfies Record<keyof SmplxParts, string>

const inputNames = [...Object.values(partNames), 'betas', 'expression', 'transl', 'upstream_vertices', 'upstream_joints']

async function* verifySmplxCase(
  name: string,
  item: string,
  file: TensorFile,
  body: Body,
  inputs: ReadonlyMap<string, Tensor>,
): AsyncGenerator<VerifyCase, void, undefined> {
  const flatHands = item.startsWith('full') || item === 'zero'
  const given = (key: string) => inputs.get(key)!
  const forward = () => {
    const parts = Object.fromEntries(Object.entries(partNames).map(([part, key]) => [part, given(key)]))
    const pose = smplxPose(parts as unknown as SmplxParts, { hands: body.data.hands, flatHands })
    return {
      pose,
      ...body.forward({ pose, shape: inputs.get('betas'), expression: inputs.get('expression'), translation: inputs.get('transl') }),
    }
  }
  const isWhole = inputs.has('global_orient')
  const { vertices, joints, pose, shaped } = scope(() => (isWhole ? forward() : restOf(body, file, item)))
  const outputs = { vertices, joints, full_pose: pose, v_shaped: shaped }
  for (const [key, tensor] of Object.entries(outputs)) {
    const found = await take(tensor)
    if (file.tensors.has(`${item}/${key}`))
      yield compare(name, `${item}/${key}`, found, await readNumbers(file, `${item}/${key}`), tolerance)
  }
  if (!inputs.has('upstream_vertices')) return
  const leaves = [...inputs.keys()].filter(key => !key.startsWith('upstream'))
  const { gradients } = differentiate(leaves.map(given), () => {
    const out = forward()
    const weighted = (x: Tensor, key: string) => sum(mul(x, given(key)))
    return add(weighted(out.vertices, 'upstream_vertices'), weighted(out.joints, 'upstream_joints'))
  })
  for (const [i, key] of leaves.entries()) {
    const tensor = `${item}/grad.${key}`
    yield compare(name, tensor, await take(gradients[i]!), await readNumbers(file, tensor), gradientTolerance)
  }
}
