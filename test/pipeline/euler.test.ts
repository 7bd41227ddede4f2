// The scheduler and the sampler against diffusers' EulerDiscreteScheduler with SVD's configuration
// (test/golden/README.md: scheduler.safetensors, commit 58eb52c, torch 2.6 on the CPU in f32).

import { readFileSync } from 'node:fs'
import t from 'tap'
import { affine } from '../../kernels/index.js'
import { ConfigReader } from '../../models/config-reader.js'
import { eulerStep, karrasSigmas, predOriginal, readEulerConfig } from '../../pipeline/schedulers/euler.js'
import { sampleEuler } from '../../pipeline/samplers/euler.js'
import { schedulerKind } from '../../pipeline/verify/scheduler.js'
import { scope, Tensor, UsageError } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, referenceRuntime, webgpuRuntime } from '../support/kernels.js'
import { golden } from '../support/paths.js'
import { agrees } from '../support/verify.js'

const { config: given } = JSON.parse(readFileSync(golden('scheduler.json'), 'utf8')) as { config: object }
const runtimes = [await referenceRuntime(), await webgpuRuntime()]
const config = { sigmaMin: 0.002, sigmaMax: 700 }

void t.test('tables, steps and added noise are those of diffusers', t =>
  onRuntimes(t, runtimes, (t, runtime) => agrees(t, schedulerKind, runtime, '.', ['scheduler'])),
)

void t.test('there are 1 to 1000 steps', t => {
  for (const steps of [0, -1, 1.5, NaN, 1e9]) t.throws(() => karrasSigmas(steps, config), UsageError, String(steps))
  t.end()
})

void t.test('a sampler that is left early, or whose model throws, keeps nothing', async t => {
  const [runtime] = runtimes
  const { live } = runtime.statistics()
  const sigmas = karrasSigmas(5, config)
  {
    using start = Tensor.zeros(runtime, [1, 2, 4, 3, 5])
    for (const { step } of sampleEuler(x => affine(x, 0.5, 0), start, sigmas)) if (step === 2) break
    const broken = () => {
      throw new RangeError('no model')
    }
    t.throws(() => sampleEuler(broken, start, sigmas).next(), { message: 'no model' })
  }
  t.equal(runtime.statistics().live, live)
})

void t.test('the last step gives the predicted original', async t => {
  const [runtime] = runtimes
  const values = scope(() => {
    const x = Tensor.from(runtime, [3, -2], [2])
    const v = Tensor.from(runtime, [0.5, 1], [2])
    return [eulerStep(x, v, 0.7, 0), predOriginal(x, v, 0.7)]
  })
  close(t, await values[0].data(), await values[1].floats(), 1e-7, 'equal')
})

void t.test('other schedulers are refused by the name of the option', t => {
  const parse = (fields: object) => readEulerConfig(new ConfigReader('config.json', JSON.stringify(fields)))
  t.same(parse(given), config)
  const wrong: [object, RegExp][] = [
    [{ prediction_type: 'epsilon' }, /prediction_type must be "v_prediction", not .*epsilon/],
    [{ use_karras_sigmas: false }, /use_karras_sigmas must be true/],
    [{ timestep_type: 'discrete' }, /timestep_type/],
    [{ timestep_spacing: 'trailing' }, /timestep_spacing/],
    [{ use_beta_sigmas: true }, /use_beta_sigmas/],
    [{ final_sigmas_type: 'sigma_min' }, /final_sigmas_type/],
    [{ rescale_betas_zero_snr: true }, /rescale_betas_zero_snr/],
    [{ _class_name: 'DDIMScheduler' }, /_class_name/],
    [{ sigma_max: null }, /sigma_max must be a number/],
    [{ sigma_min: -1 }, /sigma_min must be a number/],
    [{ sigma_min: 800 }, /sigma_min must be less than sigma_max/],
  ]
  for (const [fields, message] of wrong)
    t.throws(() => parse({ ...given, ...fields }), { name: 'FileError', message }, JSON.stringify(fields))
  t.end()
})
