// Checkpoints of random numbers: the real names and shapes, the same for the same seed, all or nothing.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseCLIPVisionConfig } from '../../models/clip/config.js'
import { CLIPVisionModelWithProjection } from '../../models/clip/vision.js'
import { parseUNetConfig } from '../../models/svd/config.js'
import { openModelFolder } from '../../models/svd/folder.js'
import { UNetSpatioTemporalConditionModel } from '../../models/svd/unet.js'
import { parseVaeConfig } from '../../models/svd/vae-config.js'
import { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import { architectures } from '../../pipeline/hub/architectures.js'
import { type RandomCheckpointOptions, writeRandomCheckpoint } from '../../pipeline/hub/random-checkpoint.js'
import { OutputFolder } from '../../pipeline/media/output.js'
import { readEulerConfig } from '../../pipeline/schedulers/euler.js'
import { openSafetensors } from '../../tensor/files/index.js'
import { toFloat32 } from '../../tensor/index.js'
import { projectRoot } from '../support/paths.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const at = (...parts: string[]) => join(folder, ...parts)
const unetFile = 'unet/diffusion_pytorch_model.safetensors'

async function write(name: string, options: Partial<RandomCheckpointOptions> = {}): Promise<string> {
  using output = await OutputFolder.create(at(name))
  await writeRandomCheckpoint(output, { like: 'tiny', ...options })
  await output.commit()
  return at(name)
}

/** One tensor as f32. */
async function values(path: string, name: string): Promise<Float32Array> {
  const file = await openSafetensors(path)
  const { dtype, data } = await file.read(name)
  await file.close()
  return toFloat32(dtype, data)
}

await t.test('it is a model, with numbers of the right size', async t => {
  const model = await openModelFolder(await write('f32', { dtype: 'f32' }))
  t.match(readEulerConfig(await model.openScheduler()), { sigmaMin: 0.002, sigmaMax: 700 })
  const path = at('f32', unetFile)
  const kernel = await values(path, 'conv_in.weight')
  const variance = kernel.reduce((sum, x) => sum + x * x, 0) / kernel.length
  t.ok(Math.abs(variance * 8 * 9 - 1) < 0.1, `variance 1 / fan-in: ${variance * 8 * 9}`)
  const scale = await values(path, 'conv_norm_out.weight')
  t.ok(scale.every(x => Math.abs(x - 1) <= 0.1))
  const bias = await values(path, 'conv_out.bias')
  t.ok(bias.some(x => x !== 0) && bias.every(x => Math.abs(x) <= 0.1))
})

await t.test('the seed decides; the dtype only rounds', async t => {
  await write('again', { dtype: 'f32' })
  const bytes = await readFile(at('f32', unetFile))
  t.ok(bytes.equals(await readFile(at('again', unetFile))), 'the same seed')
  await write('other', { dtype: 'f32', seed: 1 })
  t.notOk(bytes.equals(await readFile(at('other', unetFile))), 'another seed')
  await write('f16')
  const [wide, narrow] = [
    await values(at('f32', unetFile), 'conv_in.weight'),
    await values(at('f16', unetFile), 'conv_in.weight'),
  ]
  t.ok(wide.every((x, i) => Math.abs(x - narrow[i]) <= 2 ** -11 * Math.abs(x) + 2 ** -25))
  await openModelFolder(await write('bf16', { dtype: 'bf16' }))
})

await t.test('the real architectures have the real number of weights', t => {
  const { unet, vae, imageEncoder } = architectures['svd-xt']
  const text = JSON.stringify
  const facts: [{ weights: { size: number; parameters: ReadonlyMap<string, unknown> } }, number, number][] = [
    [new UNetSpatioTemporalConditionModel(parseUNetConfig('unet', text(unet))), 1428, 1_524_623_082],
    [new AutoencoderKLTemporalDecoder(parseVaeConfig('vae', text(vae))), 374, 97_742_847],
    [new CLIPVisionModelWithProjection(parseCLIPVisionConfig('clip', text(imageEncoder))), 520, 632_076_800],
  ]
  for (const [{ weights }, tensors, parameters] of facts) {
    t.equal(weights.parameters.size, tensors)
    t.equal(weights.size, parameters)
  }
  t.end()
})

await t.test('stopped in the middle, nothing is left', async t => {
  const controller = new AbortController()
  const stop = new Error('enough')
  const progress = (done: number, total: number) => void (done > total / 2 && controller.abort(stop))
  await t.rejects(write('stopped', { signal: controller.signal, progress }), stop)
  t.notOk((await readdir(folder)).some(name => name.startsWith('stopped')))
})

await t.test('on the command line', async t => {
  const run = (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>(resolve => {
      const command = [join(projectRoot, 'dist/pipeline/cli/main.js'), 'random-checkpoint', ...args]
      execFile(process.execPath, command, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      )
    })
  await mkdir(at('empty'))
  const { code, stdout, stderr } = await run('--like', 'tiny', '--out', at('empty'), '--seed', '1', '--dtype', 'f32')
  t.equal(code, 0, stderr)
  t.equal(stdout, `${at('empty')}\n`)
  t.match(stderr, 'MiB of 16.4 MiB')
  t.ok((await readFile(at('empty', unetFile))).equals(await readFile(at('other', unetFile))))
  t.same((await readdir(at('empty'))).sort(), ['image_encoder', 'model_index.json', 'scheduler', 'unet', 'vae'])
  await mkdir(at('full'))
  await writeFile(at('full/mine'), '')
  for (const [args, message] of [
    [['--like', 'tiny', '--out', at('full')], /full: the output folder is not empty/],
    [['--like', 'sdxl', '--out', at('no')], /--like: not one of its values; expected svd, svd-xt or tiny; got "sdxl"/],
    [['--like', 'tiny', '--out', at('no'), '--dtype', 'u8'], /--dtype: not one of its values/],
    [['--like', 'tiny', '--out', at('no'), '--seed', '-1'], /bad seed/],
    [['--like', 'tiny', '--out', at('full/mine/below')], /cannot be made or written to/],
    [['--like', 'tiny'], /--out: missing/],
  ] as const) {
    const outcome = await run(...args)
    t.match(outcome, { code: 2, stdout: '', stderr: /^revision: .*\n$/ })
    t.match(outcome.stderr, message)
  }
  t.notOk(existsSync(at('no')))
})
