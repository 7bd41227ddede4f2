// What torch has a function for and this house says in two or three operations.

import t from 'tap'
import { mean, square, sub } from '../../kernels/index.js'
import { close } from '../support/compare.js'
import { goldenCases, onRuntimes, referenceRuntime, webgpuRuntime } from '../support/kernels.js'

await t.test('mean squared error', async t =>
  onRuntimes(t, [await referenceRuntime(), await webgpuRuntime()], async (t, runtime) => {
    const [golden] = goldenCases('mse_loss mean')
    const difference = sub(await golden.tensor(runtime, 'x'), await golden.tensor(runtime, 'y'))
    const out = mean(square(difference))
    t.same(out.shape, golden.outputs.out)
    close(t, await out.floats(), (await golden.read('out')).data, 1e-6, golden.name)
  }),
)
