// Sinusoids of numbers, against diffusers' get_timestep_embedding (test/golden/README.md: torch 2.6 on the CPU).

import t from 'tap'
import { timestepEmbedding } from '../../nn/index.js'
import { UsageError } from '../../tensor/index.js'
import { agreeWithTorch, referenceRuntime } from '../support/kernels.js'

const op = 'diffusers get_timestep_embedding(t, dim, flip_sin_to_cos=True, downscale_freq_shift)'

void t.test('sinusoids are those of diffusers', async t => agreeWithTorch(t, [await referenceRuntime()], [op], 1e-6))

void t.test('sines can come first', async t => {
  const [a, b, c, d] = timestepEmbedding([2], 4)
  t.same([...timestepEmbedding([2], 4, { flipSinToCos: false })], [c, d, a, b])
})

void t.test('what has no embedding is refused', async t => {
  t.throws(() => timestepEmbedding([NaN], 4), UsageError)
  t.throws(() => timestepEmbedding([Infinity], 4), UsageError)
  t.throws(() => timestepEmbedding([1], 1), UsageError)
  t.throws(() => timestepEmbedding([1], 2, { downscaleFreqShift: 1 }), UsageError)
})
