// The order of random draws, on which the promise rests that a seed gives what it gives in diffusers' pipeline
// (StableVideoDiffusionPipeline.__call__: the picture's noise first, then the latents, from one generator).

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { generate, type GenerateOptions } from '../../pipeline/generate.js'
import { readPicture } from '../../pipeline/media/decode.js'
import { Generator, keep, type Tensor } from '../../tensor/index.js'
import { wasmRuntime } from '../support/kernels.js'
import { makeTinyModel } from '../support/model.js'
import { golden } from '../support/paths.js'

const model = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(model, { recursive: true }))
await makeTinyModel(model)
const image = await readPicture(golden('svd-pipeline-tiny/square.png'))
const runtime = await wasmRuntime()

/** The latents of the picture and those that the video begins with. */
async function beginning(options: Partial<GenerateOptions>): Promise<Float32Array[]> {
  const seen = new Map<string, Tensor>()
  const observe = (name: string, tensor: Tensor) => {
    if (!seen.has(name)) seen.set(name, keep(tensor.share()))
  }
  const small = { width: 72, height: 64, frames: 2, steps: 1, maxGuidance: 1, noiseAug: 1 }
  for await (const { type } of generate({ model, image, runtime, observe, ...small, ...options }))
    if (type === 'step') break
  const tensors = ['image_latents', 'latents'].map(name => seen.get(name)!)
  const values = await Promise.all(tensors.map(tensor => tensor.floats()))
  for (const tensor of seen.values()) tensor.dispose()
  return values
}

await t.test("the picture's noise is drawn first, the latents second, from one generator", async t => {
  const generator = new Generator(42)
  const augmentation = generator.randn(3 * 64 * 72)
  const noise = { augmentation, latents: generator.randn(2 * 4 * 8 * 9) }
  t.same(await beginning({ seed: 42 }), await beginning({ noise }))
})
