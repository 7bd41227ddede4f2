// Rotations as functions of kernels: gradients at no rotation and at half a turn, distances, limits of joints.

import t from 'tap'
import { differentiate, mul, openRuntime, sum } from '../../kernels/index.js'
import { clampPose, limitPenalty, limitTensors, poseLimits } from '../../models/body/joint-limits.js'
import { angleBetween, fromAxisAngle, fromSix, slerp, toAxisAngle, toSix } from '../../models/body/quaternion.js'
import {
  geodesicDistance,
  matricesOfAxisAngle,
  matricesOfQuaternions,
  matricesOfSix,
} from '../../models/body/rotations.js'
import { jointIndex } from '../../models/body/skeleton.js'
import { Generator } from '../../tensor/random.js'
import { scope, ShapeError, Tensor } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { gradientsAgree } from '../support/gradients.js'
import { referenceRuntime, wasmRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const wasm = await wasmRuntime()
const random = new Generator(1)

await t.test('gradients agree with finite differences', t =>
  gradientsAgree(
    t,
    reference,
    [wasm],
    [
      { name: 'rotation vectors', shapes: [[5, 3]], f: matricesOfAxisAngle },
      { name: 'quaternions', shapes: [[2, 3, 4]], f: matricesOfQuaternions },
      { name: 'six numbers by columns', shapes: [[4, 6]], f: x => matricesOfSix(x, 'columns') },
      { name: 'six numbers by rows', shapes: [[4, 6]], f: x => matricesOfSix(x, 'rows') },
      {
        name: 'distances',
        shapes: [
          [6, 3],
          [6, 3],
        ],
        values: 'positive',
        f: (a, b) => geodesicDistance(matricesOfAxisAngle(a), matricesOfAxisAngle(b)),
      },
    ],
  ),
)

await t.test('no rotation has the gradient of the cross product, and tiny ones nearly', async t => {
  for (const size of [0, 1e-9, 1e-5, 1e-3]) {
    using vector = Tensor.from(wasm, [size, 0, 0], [1, 3])
    using pick = Tensor.from(wasm, [0, 0, 0, 0, 0, -1, 0, 1, 0], [1, 3, 3])
    const { gradients, loss } = differentiate([vector], () => sum(mul(matricesOfAxisAngle(vector), pick)))
    close(t, await gradients[0]!.floats(), [2, 0, 0], 1e-5, `at ${size}`)
    loss.dispose()
    gradients[0]!.dispose()
  }
})

await t.test('the distance of a rotation to itself is 0, with a gradient that is a number', async t => {
  using vectors = Tensor.from(wasm, [0.3, -1, 2, 0, 0, 0], [2, 3])
  const { gradients, loss } = differentiate([vectors], () => {
    const matrices = matricesOfAxisAngle(vectors)
    return sum(geodesicDistance(matrices, matrices))
  })
  t.ok((await loss.floats())[0] < 5e-6)
  t.ok((await gradients[0]!.floats()).every(Number.isFinite))
})

await t.test('distances on a device are those of the host, up to half a turn', async t => {
  const count = 40
  const vectors = [random.randn(3 * count), random.randn(3 * count)]
  const turns = vectors.map(values =>
    Array.from({ length: count }, (_, i) => fromAxisAngle([values[3 * i], values[3 * i + 1], values[3 * i + 2]])),
  )
  const found = scope(() => {
    const [a, b] = vectors.map(values => matricesOfAxisAngle(Tensor.from(wasm, values, [count, 3])))
    return geodesicDistance(a, b)
  })
  const expected = turns[0].map((turn, i) => angleBetween(turn, turns[1][i]))
  close(t, await found.floats(), expected, 1e-5, 'angles')
})

await t.test('on the host the ways there and back meet, and slerp goes the short way at even speed', t => {
  for (let i = 0; i < 20; i++) {
    const [x, y, z] = random.randn(3)
    const turn = fromAxisAngle([x, y, z])
    t.ok(angleBetween(turn, fromSix(toSix(turn))) < 1e-6)
    t.ok(angleBetween(turn, fromAxisAngle(toAxisAngle(turn))) < 1e-6)
    const other = fromAxisAngle([y, -z, x])
    const whole = angleBetween(turn, other)
    t.ok(Math.abs(angleBetween(turn, slerp(turn, other, 0.25)) - whole / 4) < 1e-6)
  }
  t.end()
})

await t.test('knees do not bend forward', async t => {
  const pose = new Float32Array(165)
  const knee = 3 * jointIndex('right_knee')
  pose[knee] = -1
  pose[164] = 9
  const { low } = poseLimits
  const clamped = clampPose(pose)
  t.equal(clamped[knee], low[knee])
  t.equal(clamped[164], 9, 'hands are free')
  using poses = Tensor.from(wasm, pose.slice(0, 66), [1, 66])
  const limits = limitTensors(wasm)
  const penalty = limitPenalty(poses, limits)
  close(t, await penalty.floats(), [(low[knee] - pose[knee]) ** 2], 1e-6, 'what is beyond, squared')
  const left = 3 * jointIndex('left_shoulder') + 2
  const right = 3 * jointIndex('right_shoulder') + 2
  t.equal(low[right], -poseLimits.high[left], 'the right side mirrors the left')
})

await t.test('wrong shapes are refused', async t => {
  const runtime = await openRuntime({ runtime: 'reference', quiet: true })
  using four = Tensor.zeros(runtime, [2, 4])
  t.throws(() => matricesOfAxisAngle(four), ShapeError)
  t.throws(() => matricesOfSix(four), ShapeError)
  await runtime.close()
})
