// What torch has a function for and this house says in two or three operations.

import t from 'tap'
import { agreeWithTorch, referenceRuntime, webgpuRuntime } from '../support/kernels.js'

await t.test('mean squared error', async t =>
  agreeWithTorch(t, [await referenceRuntime(), await webgpuRuntime()], ['mse_loss mean'], 1e-6),
)
