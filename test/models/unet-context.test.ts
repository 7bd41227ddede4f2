// What the video UNet is given ready made: what is the same at every step, and with the picture and without it.

import t from 'tap'
import { cat, expand } from '../../kernels/index.js'
import { UNetSpatioTemporalConditionModel } from '../../models/index.js'
import { scope, ShapeError, type Tensor } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, Operands, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { checkpoint, config, forward, motionConfig, openCase, readCase, strict } from '../support/unet.js'

const wasm = await wasmRuntime()
const runtimes = [await referenceRuntime(), await webgpuRuntime(), wasm]
const ids = [6, 127, 0.02]

/** What both halves see, [2,F,8 or 10,h,w]: [1,F,...] in both, the pictures' [2,4,h,w] in every frame. */
function whole(noisy: Tensor, pictures: Tensor, motion: readonly Tensor[] = []): Tensor {
  return scope(() => {
    const [, frames, , ...size] = noisy.shape
    const twice = (x: Tensor) => expand(x, x.shape.with(0, 2))
    const still = expand(pictures.reshape([2, 1, 4, ...size]), [2, frames, 4, ...size])
    return cat([twice(noisy), still, ...motion.map(twice)], 2)
  })
}

void t.test('a picture prepared ahead and a row of times for all come to what whole samples come to', t =>
  onRuntimes(t, runtimes, async (t, runtime) => {
    const before = runtime.statistics().live
    {
      using unet = await UNetSpatioTemporalConditionModel.load(runtime, checkpoint, config)
      const random = new Operands(runtime, 11)
      using noisy = random.normal([1, 2, 4, 6, 10])
      using pictures = random.normal([2, 4, 6, 10])
      using hidden = random.normal([2, 1, 32])
      using sample = whole(noisy, pictures)
      using expected = unet.forward(sample, 0.5, hidden, [ids, ids])

      using context = unet.prepare(hidden, 2, pictures)
      using embedding = unet.embed(0.5, [ids])
      const held = runtime.statistics().live
      using actual = unet.predict(noisy, embedding, context)
      t.equal(runtime.statistics().live - held, actual.bytes, 'a step leaves nothing behind but its result')
      t.same(actual.shape, expected.shape)
      close(t, await actual.floats(), await expected.floats(), strict, 'both halves')
    }
    t.equal(runtime.statistics().live, before, 'nothing is left of the context')
  }),
)

void t.test('the motion condition is told once for both halves', async t => {
  using unet = await UNetSpatioTemporalConditionModel.load(wasm, checkpoint, motionConfig)
  const random = new Operands(wasm, 12)
  // The checkpoint's weights for the motion are zero.
  unet.conv_in.weight.replace(random.normal(unet.conv_in.weight.shape))
  const [noisy, motion] = [random.normal([1, 2, 4, 8, 8]), random.normal([1, 2, 2, 8, 8])]
  const [pictures, hidden] = [random.normal([2, 4, 8, 8]), random.normal([2, 1, 32])]
  const expected = unet.forward(whole(noisy, pictures, [motion]), 0.5, hidden, [ids, ids])
  const moving = cat([noisy, motion], 2)
  const actual = unet.predict(moving, unet.embed(0.5, [ids]), unet.prepare(hidden, 2, pictures))
  close(t, await actual.floats(), await expected.floats(), strict, 'with motion')
})

void t.test('chunks of pictures take their own rows of a context of several tokens', async t => {
  using unet = await UNetSpatioTemporalConditionModel.load(wasm, checkpoint, config)
  const file = await openCase(t, 'io_ctx3')
  const input = await readCase(wasm, file)
  unet.weights.chunkBytes = 1
  using output = forward(unet, input)
  close(t, await output.floats(), (await file.read('output')).data, strict, 'picture by picture')
})

void t.test('what does not fit is refused', async t => {
  using unet = await UNetSpatioTemporalConditionModel.load(wasm, checkpoint, config)
  const random = new Operands(wasm, 13)
  const hidden = random.normal([2, 1, 32])
  const pictures = random.normal([2, 4, 8, 8])
  const context = unet.prepare(hidden, 2, pictures)
  const embedding = unet.embed(0, [ids])
  const refused = (what: string, run: () => unknown) => t.throws(run, ShapeError, what)
  refused('no frames', () => unet.prepare(hidden, 0))
  refused('pictures of another batch', () => unet.prepare(hidden, 2, random.normal([1, 4, 8, 8])))
  refused('pictures of other channels', () => unet.prepare(hidden, 2, random.normal([2, 3, 8, 8])))
  refused('frames', () => unet.predict(random.normal([1, 3, 4, 8, 8]), embedding, context))
  refused('size', () => unet.predict(random.normal([1, 2, 4, 8, 6]), embedding, context))
  refused('channels of the picture', () => unet.predict(random.normal([1, 2, 8, 8, 8]), embedding, context))
  refused('videos', () => unet.predict(random.normal([3, 2, 4, 8, 8]), embedding, context))
  refused('times', () => unet.predict(random.normal([1, 2, 4, 8, 8]), unet.embed(0, [ids, ids, ids]), context))
})
