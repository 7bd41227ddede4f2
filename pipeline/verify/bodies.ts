// Golden files of SMPL-X and SMPL with made-up vertices: `SMPLX_<name>` and `SMPL_<name>` are models under the official
// names, `smplx_io` and `smpl_io` what they give.

import { add, cat, differentiate, mul, sum } from '../../kernels/index.js'
import { Body, type BodyOutput } from '../../models/body/body.js'
import { readBody } from '../../models/body/read-body.js'
import { smplxPose, type SmplxParts } from '../../models/body/smplx.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, scope, Tensor, type Runtime } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { withFile } from './network.js'
import { attempt, compare, readNumbers, readTensor, take, type VerifyCase } from './outcome.js'

const tolerance = 1e-5
const gradientTolerance = 1e-4

/** Inputs by their names in a file; those that it lacks are zero. */
type Inputs = ReadonlyMap<string, Tensor>

type Forward = (body: Body, inputs: Inputs, item: string) => BodyOutput & { pose: Tensor }

const partNames = {
  globalOrient: 'global_orient',
  bodyPose: 'body_pose',
  jawPose: 'jaw_pose',
  leyePose: 'leye_pose',
  reyePose: 'reye_pose',
  leftHandPose: 'left_hand_pose',
  rightHandPose: 'right_hand_pose',
} as const satisfies Record<keyof SmplxParts, string>

const smplxWidths: Readonly<Record<string, number>> = {
  ...{ global_orient: 3, body_pose: 63, jaw_pose: 3, leye_pose: 3, reye_pose: 3 },
  ...{ left_hand_pose: 45, right_hand_pose: 45, betas: 10, expression: 10, transl: 3 },
}
const smplWidths = { global_orient: 3, body_pose: 69, betas: 10, transl: 3 }

const smplx: Forward = (body, inputs, item) => {
  const parts = Object.fromEntries(Object.entries(partNames).map(([part, key]) => [part, inputs.get(key)!]))
  const flatHands = !['mean45', 'pca12'].includes(item)
  const pose = smplxPose(parts as unknown as SmplxParts, { hands: body.data.hands, flatHands })
  const expression = inputs.get('expression')
  return { pose, ...body.forward({ pose, shape: inputs.get('betas'), expression, translation: inputs.get('transl') }) }
}

const smpl: Forward = (body, inputs) => {
  const pose = cat([inputs.get('global_orient')!, inputs.get('body_pose')!], 1)
  return { pose, ...body.forward({ pose, shape: inputs.get('betas'), translation: inputs.get('transl') }) }
}

/** Models by how their files begin. */
const models = [
  { prefix: 'SMPLX_', io: 'smplx_io', forward: smplx, widths: smplxWidths },
  { prefix: 'SMPL_', io: 'smpl_io', forward: smpl, widths: smplWidths },
]

async function* verifyModel(
  name: string,
  file: TensorFile,
  body: Body,
  { forward, widths }: (typeof models)[number],
): AsyncGenerator<VerifyCase, void, undefined> {
  // Several cases in a file have their names before a slash.
  const items = new Set([...file.tensors.keys()].map(key => (key.includes('/') ? key.split('/')[0] : '')))
  for (const item of items) {
    const full = (key: string) => (item === '' ? key : `${item}/${key}`)
    const batch = file.tensors.get(full('vertices'))?.shape[0]
    if (batch === undefined) throw new FileError({ where: file.name, what: `no tensor ${full('vertices')}` })
    const inputs = new Map<string, Tensor>()
    try {
      for (const [key, width] of Object.entries(widths)) {
        const isGiven = file.tensors.has(full(key))
        const tensor = isGiven ? readTensor(body.runtime, file, full(key)) : Tensor.zeros(body.runtime, [batch, width])
        inputs.set(key, await tensor)
      }
      const { vertices, joints, pose } = scope(() => {
        const { vertices, joints, pose } = forward(body, inputs, item)
        return { vertices, joints, pose }
      })
      // What the reference gives as shaped has no expression yet.
      const { shaped } = scope(() => ({ shaped: body.forward({ pose, shape: inputs.get('betas') }).shaped }))
      for (const [key, tensor] of Object.entries({ vertices, joints, full_pose: pose, v_shaped: shaped })) {
        const found = await take(tensor)
        if (file.tensors.has(full(key)))
          yield compare(name, full(key), found, await readNumbers(file, full(key)), tolerance)
      }
      if (file.tensors.has(full('upstream_vertices')))
        yield* verifyGradients(name, file, full, inputs, () => forward(body, inputs, item))
    } finally {
      for (const tensor of inputs.values()) tensor.dispose()
    }
  }
}

async function* verifyGradients(
  name: string,
  file: TensorFile,
  full: (key: string) => string,
  inputs: Inputs,
  forward: () => BodyOutput,
): AsyncGenerator<VerifyCase, void, undefined> {
  const { runtime } = inputs.get('betas')!
  using upVertices = await readTensor(runtime, file, full('upstream_vertices'))
  using upJoints = await readTensor(runtime, file, full('upstream_joints'))
  const { gradients, loss } = differentiate([...inputs.values()], () => {
    const { vertices, joints } = forward()
    return add(sum(mul(vertices, upVertices)), sum(mul(joints, upJoints)))
  })
  loss.dispose()
  for (const [i, key] of [...inputs.keys()].entries()) {
    const tensor = full(`grad.${key}`)
    yield compare(name, tensor, await take(gradients[i]!), await readNumbers(file, tensor), gradientTolerance)
  }
}

async function* verifyBodies(folder: GoldenFolder, runtime: Runtime, claimed: readonly string[]) {
  for (const model of models) {
    const weights = claimed.find(name => name.startsWith(model.prefix))
    if (weights === undefined) continue
    const data = await withBodyFile(folder, weights)
    const name = folder.titleOf(model.io)
    yield* attempt(name, async function* () {
      using body = new Body(runtime, data)
      yield* withFile(folder, model.io, file => verifyModel(name, file, body, model))
    })
  }
}

async function withBodyFile(folder: GoldenFolder, weights: string) {
  const file = await folder.open(weights)
  try {
    return await readBody({ name: file.name, has: name => file.tensors.has(name), read: name => file.read(name) })
  } finally {
    await file.close()
  }
}

export const bodiesKind: GoldenKind = {
  claim: folder =>
    models.flatMap(({ prefix, io }) => {
      const [weights] = folder.tensorFiles(prefix)
      return weights !== undefined && folder.files.has(`${io}.safetensors`) ? [weights, io] : []
    }),
  verify: verifyBodies,
}
