// What the stages do beside their numbers, which the golden tests compare: guidance, memory, nonsense from a network.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { generate, type GenerateEvent, type LoadProgress } from '../../pipeline/generate.js'
import { NotFiniteError } from '../../pipeline/index.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { openSafetensors, writeSafetensors } from '../../tensor/files/index.js'
import type { Tensor } from '../../tensor/index.js'
import { golden } from '../support/paths.js'
import { model, pipelineRuntime } from '../support/pipeline.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(folder, { recursive: true }))
const image = await readPicture(golden('svd-pipeline-tiny/nocfg_resized.png'))
const small = { model, image, width: 64, height: 64, frames: 1, steps: 1 }
const runtime = await pipelineRuntime('wasm')

void t.test('guidance is heard whenever it is above 1 anywhere', async t => {
  for (const [minGuidance, maxGuidance, batch] of [
    [1, 1, 1],
    [1, 3, 2],
    [3, 1, 2],
  ]) {
    const batches: number[] = []
    const observe = (name: string, { shape }: Tensor) => {
      if (name === 'unet_in') batches.push(shape[0])
    }
    for await (const event of generate({ ...small, runtime, minGuidance, maxGuidance, observe }))
      if (event.type === 'step') break
    t.same(batches, [batch], `from ${minGuidance} to ${maxGuidance}`)
  }
})

void t.test('each stage loads what it uses, and gives all memory back', async t => {
  const runtime = await pipelineRuntime('webgpu')
  const loads = new Map<string, LoadProgress>()
  const onLoad = (load: LoadProgress) => loads.set(load.stage, load)
  const idle: [GenerateEvent['type'], number][] = []
  for await (const event of generate({ ...small, runtime, onLoad }))
    if (event.type === 'stage-end') idle.push([event.type, runtime.statistics().idle])
  t.same(idle, new Array(4).fill(['stage-end', 0]))

  for (const [stage, { bytes, total }] of loads) t.equal(bytes, total, stage)
  const file = await openSafetensors(join(model, 'vae/diffusion_pytorch_model.safetensors'))
  t.teardown(() => file.close())
  const bytesOf = (isWanted: (name: string) => boolean) =>
    [...file.tensors].reduce((sum, [name, { byteSize }]) => sum + (isWanted(name) ? byteSize : 0), 0)
  const isDecoder = (name: string) => name.startsWith('decoder.')
  t.equal(loads.get('vae decoder')?.total, bytesOf(isDecoder))
  t.equal(
    loads.get('vae encoder')?.total,
    bytesOf(name => !isDecoder(name)),
  )
})

void t.test('a network that gives no numbers is found out at once', async t => {
  const cases = [
    ['image_encoder/model.safetensors', 'visual_projection.weight', /^image encoder: embeddings hold .*NaN/],
    ['vae/diffusion_pytorch_model.safetensors', 'quant_conv.bias', /^vae encoder: latents hold .*NaN/],
    ['unet/diffusion_pytorch_model.safetensors', 'conv_out.bias', /^unet: latents of step 1 hold .*NaN/],
    ['vae/diffusion_pytorch_model.safetensors', 'decoder.conv_out.bias', /^vae decoder: frames from 0 hold .*NaN/],
  ] as const
  for (const [i, [path, name, message]] of cases.entries()) {
    const broken = join(folder, `broken${i}`)
    await cp(model, broken, { recursive: true })
    await poison(join(broken, path), name)
    const events: GenerateEvent[] = []
    const run = async () => {
      for await (const event of generate({ ...small, model: broken, runtime })) events.push(event)
    }
    await t.rejects(run(), { name: NotFiniteError.name, message }, name)
    t.equal(runtime.statistics().live, 0, `${name}: nothing is left in memory`)
  }
})

/** Puts NaN into a tensor of a file. */
async function poison(path: string, poisoned: string): Promise<void> {
  const file = await openSafetensors(path)
  const entries = await Promise.all([...file.tensors.keys()].map(async name => ({ name, ...(await file.read(name)) })))
  await file.close()
  const { dtype, data } = entries.find(({ name }) => name === poisoned)!
  data[0] = dtype === 'f32' ? NaN : 0x7e00
  await writeSafetensors(path, entries)
}
