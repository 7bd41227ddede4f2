// Sinusoids of numbers, against diffusers' get_timestep_embedding (test/golden/README.md: torch 2.6 on the CPU).

import t from 'tap'
import { timestepEmbedding } from '../../nn/index.js'
import { UsageError } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { goldenCases } from '../support/kernels.js'

void t.test('sinusoids are those of diffusers', async t => {
  const cases = goldenCases('diffusers get_timestep_embedding(t, dim, flip_sin_to_cos=True, downscale_freq_shift)')
  t.equal(cases.length, 4)
  for (const golden of cases) {
    const { params } = golden
    const values = await golden.read('t')
    const expected = await golden.read('out')
    const actual = timestepEmbedding([...values.data], Number(params.dim), {
      flipSinToCos: Boolean(params.flip_sin_to_cos),
      downscaleFreqShift: Number(params.downscale_freq_shift),
      maxPeriod: Number(params.max_period),
    })
    close(t, actual, expected.data, 1e-6, golden.name)
  }
})

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
