// The scheduler and the sampler against diffusers' EulerDiscreteScheduler with SVD's configuration
// (test/golden/README.md: scheduler.safetensors, commit 58eb52c, torch 2.6 on the CPU in f32).

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { affine } from '../../kernels/index.js'
import {
  addNoise,
  eulerStep,
  initNoiseSigma,
  karrasSigmas,
  predOriginal,
  readEulerConfig,
  scaleModelInput,
  timestepOf,
} from '../../pipeline/schedulers/euler.js'
import { sampleEuler } from '../../pipeline/samplers/euler.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { FileError, scope, Tensor, toFloat32, UsageError, type Runtime } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, referenceRuntime, webgpuRuntime } from '../support/kernels.js'
import { golden } from '../support/paths.js'

const file = await openSafetensors(golden('scheduler.safetensors'))
t.teardown(() => file.close())
const read = async (name: string) => {
  const { data, shape, dtype } = await file.read(name)
  return { data: toFloat32(dtype, data), shape }
}
const { config: given, steps: counts } = JSON.parse(readFileSync(golden('scheduler.json'), 'utf8')) as {
  config: Record<string, unknown>
  steps: number[]
}
const runtimes = [await referenceRuntime(), await webgpuRuntime()]
const config = { sigmaMin: 0.002, sigmaMax: 700 }

/** Row `index` of a tensor whose first axis counts steps. */
async function row(runtime: Runtime, name: string, index: number): Promise<Tensor> {
  const { data, shape } = await read(name)
  const size = data.length / shape[0]
  return Tensor.from(runtime, data.slice(index * size, (index + 1) * size), shape.slice(1))
}

async function folderWith(fields: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'scheduler_config.json'), JSON.stringify(fields))
  return folder
}

void t.test('tables of sigmas and timesteps', async t => {
  for (const steps of counts) {
    const sigmas = karrasSigmas(steps, config)
    close(t, sigmas, (await read(`${steps}/sigmas`)).data, 1e-6, `${steps} sigmas`)
    const timesteps = Float32Array.from(sigmas.subarray(0, -1), timestepOf)
    close(t, timesteps, (await read(`${steps}/timesteps`)).data, 1e-6, `${steps} timesteps`)
    const first = Float32Array.of(initNoiseSigma(sigmas))
    close(t, first, (await read(`${steps}/init_noise_sigma`)).data, 1e-6, `${steps} init_noise_sigma`)
  }
  for (const steps of [0, -1, 1.5, NaN, 1e9]) t.throws(() => karrasSigmas(steps, config), UsageError, String(steps))
})

void t.test('steps', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    for (const steps of [4, 8, 25]) {
      const sigmas = karrasSigmas(steps, config)
      const { data, shape } = await read(`${steps}/latents0`)
      const outputs: Tensor[] = []
      for (let i = 0; i < steps; i++) outputs.push(await row(runtime, `${steps}/model_outputs`, i))
      using start = Tensor.from(runtime, data, shape)
      const originals: Tensor[] = []
      let before = start
      const timesteps: number[] = []
      const denoise = (_: Tensor, timestep: number) => outputs[timesteps.push(timestep) - 1]
      for (const { step, sigma, sample } of sampleEuler(denoise, start, sigmas)) {
        const i = step - 1
        originals.push(predOriginal(before, outputs[i], sigma))
        before = sample.share()
        const expected = await row(runtime, `${steps}/prev_samples`, i)
        close(t, await sample.data(), await expected.floats(), 1e-5, `${steps}: sample after step ${step}`)
      }
      t.same(timesteps, Array.from(sigmas.subarray(0, -1), timestepOf), `${steps}: timesteps`)
      for (let i = 0; i < steps; i++) {
        const scaled = await row(runtime, `${steps}/scaled_inputs`, i)
        const original = await row(runtime, `${steps}/pred_original`, i)
        close(t, await originals[i].data(), await original.floats(), 1e-5, `${steps}: original at step ${i}`)
        const input = scaleModelInput(i === 0 ? start : await row(runtime, `${steps}/prev_samples`, i - 1), sigmas[i])
        close(t, await input.data(), await scaled.floats(), 1e-5, `${steps}: model input of step ${i}`)
      }
    }
  }),
)

void t.test('noise is added by sample', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const [original, noise, timesteps, noisy] = await Promise.all(
      ['original', 'noise', 'timesteps', 'noisy'].map(name => read(`add_noise/${name}`)),
    )
    const sigmas = Array.from(timesteps.data, timestep => Math.exp(4 * timestep))
    const sum = addNoise(
      Tensor.from(runtime, original.data, original.shape),
      Tensor.from(runtime, noise.data, noise.shape),
      sigmas,
    )
    close(t, await sum.data(), noisy.data, 1e-5, 'noisy')
  }),
)

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

void t.test('other schedulers are refused by the name of the option', async t => {
  t.same(await readEulerConfig(await folderWith(given)), config)
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
  for (const [fields, message] of wrong) {
    const folder = await folderWith({ ...given, ...fields })
    const error = await readEulerConfig(folder).catch((error: unknown) => error)
    t.type(error, FileError)
    t.match(error, { message }, JSON.stringify(fields))
  }
})
