// Forward kinematics: what turns do to the joints behind them, and how a loss on positions reaches the turns.

import t from 'tap'
import { add, differentiate, kinematics, mul, sum } from '../../kernels/index.js'
import { Tensor, type Runtime } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, Operands, referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()

const straight = [1, 0, 0, 0, 1, 0, 0, 0, 1]
/** A quarter turn about z: x becomes y. */
const quarter = [0, -1, 0, 1, 0, 0, 0, 0, 1]

await t.test('a turn moves what hangs on its joint, and nothing else', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    // A root with an arm of two bones along x, and a leg down.
    const rest = Tensor.from(runtime, [0, 1, 0, 1, 1, 0, 2, 1, 0, 0, 0, 0], [1, 4, 3])
    const parents = Tensor.from(runtime, [-1, 0, 1, 0], [4], 'i32')
    const turns = [straight, quarter, straight, straight, quarter, straight, straight, straight].flat()
    const { turned, positions } = kinematics(Tensor.from(runtime, turns, [2, 4, 3, 3]), rest, parents)
    const expected = [
      [0, 1, 0, 1, 1, 0, 1, 2, 0, 0, 0, 0], // the elbow bends: the hand is above it
      [0, 1, 0, 0, 2, 0, 0, 3, 0, 1, 1, 0], // the root turns: all of it does
    ]
    close(t, await positions.floats(), expected.flat(), 1e-6, 'positions')
    const last = (await turned.floats()).subarray(2 * 9, 3 * 9)
    close(t, last, quarter, 1e-6, 'the hand is turned with the elbow')
  }),
)

interface Sizes {
  count: number
  joints: number
  shared: boolean
}

const sizes: Sizes[] = [
  { count: 1, joints: 1, shared: true },
  { count: 3, joints: 5, shared: false },
  { count: 65, joints: 22, shared: true },
  { count: 40, joints: 55, shared: false },
  { count: 0, joints: 3, shared: true },
]

/** Random operands; parents come before their children. */
function operandsOf(runtime: Runtime, { count, joints, shared }: Sizes, seed: number) {
  const operands = new Operands(runtime, seed)
  const parents = Array.from({ length: joints }, (_, joint) => Math.max(0, joint - 1 - ((joint * 7) % 3)))
  return {
    rotations: operands.normal([count, joints, 3, 3]),
    rest: operands.normal([shared ? 1 : count, joints, 3]),
    parents: Tensor.from(runtime, parents, [joints], 'i32'),
    weight: operands.normal([count, joints, 3]),
    turnedWeight: operands.normal([count, joints, 3, 3]),
  }
}

/** A loss on positions and turns. */
function lossOf({ rotations, rest, parents, weight, turnedWeight }: ReturnType<typeof operandsOf>): Tensor {
  const { turned, positions } = kinematics(rotations, rest, parents)
  return add(sum(mul(turned, turnedWeight)), sum(mul(positions, weight)))
}

/** What it gives, and the gradients of a loss. */
async function results(runtime: Runtime, size: Sizes, seed: number): Promise<Float32Array[]> {
  const operands = operandsOf(runtime, size, seed)
  const { rotations, rest, parents } = operands
  const { gradients } = differentiate([rotations, rest], () => lossOf(operands))
  const { turned, positions } = kinematics(rotations, rest, parents)
  return Promise.all([turned, positions, ...gradients.map(gradient => gradient!)].map(tensor => tensor.floats()))
}

await t.test('agrees with the plain loops, forward and back, on any number of threads', async t => {
  const runtimes = [webgpu, shrunk, wasm, await wasmRuntime({ threads: 0 }), await wasmRuntime({ threads: 3 })]
  for (const [seed, size] of sizes.entries()) {
    const expected = await results(reference, size, seed)
    for (const runtime of runtimes)
      for (const [i, actual] of (await results(runtime, size, seed)).entries())
        close(
          t,
          actual,
          expected[i],
          2e-5,
          `${JSON.stringify(size)}: ${['turned', 'positions', 'd rotations', 'd rest'][i]}`,
        )
  }
})

await t.test('gradients are what finite differences say', async t => {
  const size = { count: 2, joints: 5, shared: true }
  const operands = operandsOf(reference, size, 9)
  const [, , ...gradients] = await results(reference, size, 9)
  // The loss is linear in every single number, so steps may be large.
  const step = 0.5
  for (const [i, name] of (['rotations', 'rest'] as const).entries()) {
    const values = await operands[name].floats()
    const found = new Float32Array(values.length)
    for (const at of values.keys()) {
      const lossAt = async (change: number) => {
        const moved = Tensor.from(
          reference,
          values.map((value, j) => value + (j === at ? change : 0)),
          operands[name].shape,
        )
        return (await lossOf({ ...operands, [name]: moved }).floats())[0]
      }
      found[at] = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step)
    }
    close(t, gradients[i], found, 1e-5, name)
  }
})

await t.test('a tree that is none computes something, and reads nothing else', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const operands = operandsOf(runtime, { count: 2, joints: 4, shared: true }, 3)
    const parents = Tensor.from(runtime, [5, 2 ** 31 - 1, -(2 ** 31), 3], [4], 'i32')
    const { gradients } = differentiate([operands.rotations], () => lossOf({ ...operands, parents }))
    t.ok((await gradients[0]!.floats()).every(Number.isFinite))
  }),
)

await t.test('says what does not fit', t => {
  const { rotations, rest, parents } = operandsOf(reference, { count: 2, joints: 3, shared: true }, 0)
  t.throws(() => kinematics(rotations, rest.reshape([3, 3]), parents), {
    message: 'kinematics: rest does not fit; expected f32 [2 or 1, 3, 3]; got f32 [3, 3]',
  })
  t.throws(() => kinematics(rotations.reshape([2, 3, 9]), rest, parents), /rotations do not fit/)
  t.throws(() => kinematics(rotations, rest, rest), /parents do not fit; expected i32 \[3\]; got f32/)
  t.end()
})
