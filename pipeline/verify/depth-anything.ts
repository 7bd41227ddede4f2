// Golden folders of Depth Anything V2 under its own names: `io*` files of pictures and depths, how a depth is brought
// back to the picture's size, and the sizes at which pictures are looked at.

import { join } from 'node:path'
import { resize, slice } from '../../kernels/index.js'
import { DepthAnythingForDepthEstimation, depthSize } from '../../models/index.js'
import { isObject, parseObject } from '../../models/config-reader.js'
import { fromOriginal, parseOriginalConfig, transformersName } from '../../models/depth/original.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, scope, type Runtime, type Tensor } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { channelsLast, SeenModules } from './modules.js'
import { attemptFiles, compareOutputs, networkTolerance, withNetwork } from './network.js'
import { compareAbsolutely, readTensor, type VerifyCase, type VerifyOutcome } from './outcome.js'

const sizesFile = 'infer_size_cases.json'
// The shorter side for which the sizes were written down.
const shortSide = 518

async function* verifyFile(
  name: string,
  model: DepthAnythingForDepthEstimation,
  runtime: Runtime,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  const modules = [...file.tensors.keys()]
    .filter(key => key.startsWith('inter.'))
    .map(key => key.slice('inter.'.length))
  const aliases = Object.fromEntries(modules.map(module => [module, transformersName(module)]))
  using seen = new SeenModules(model.weights, file, aliases)
  using pixels = await readTensor(runtime, file, 'x')
  yield* compareOutputs(name, file, { depth: model.forward(pixels) })
  yield* seen.compare(name, () => networkTolerance)
  if (file.tensors.has('feature.0')) yield* compareOutputs(name, file, featuresOf(model, pixels))
}

/** What the backbone gives, in the reference's parts. */
function featuresOf({ backbone, config }: DepthAnythingForDepthEstimation, pixels: Tensor): Record<string, Tensor> {
  const { patchSize } = config.backbone
  const [, , height, width] = pixels.shape
  return scope(() => {
    const outputs: Record<string, Tensor> = {
      pos_embed_interpolated: backbone.embeddings.positions(height / patchSize, width / patchSize),
    }
    for (const [i, tokens] of backbone.forward(channelsLast(pixels)).entries()) {
      const [batch, count, channels] = tokens.shape
      outputs[`feature.${i}`] = slice(tokens, 1, 1, count)
      outputs[`class_token.${i}`] = slice(tokens, 1, 0, 1).reshape([batch, channels])
    }
    return outputs
  })
}

async function* verifyResize(
  name: string,
  runtime: Runtime,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  using depth = await readTensor(runtime, file, 'depth')
  const [, height = 0, width = 0] = file.tensors.get('resized')?.shape ?? []
  const resized = scope(() => {
    const map = depth.reshape([...depth.shape, 1]) // [B,h,w,1]
    return resize(map, { size: [height, width], mode: 'bilinear', alignCorners: true }).reshape([-1, height, width])
  })
  yield* compareOutputs(name, file, { resized })
}

/** Sizes of pictures, and those at which the network looks at them. */
async function verifySizes(folder: GoldenFolder): Promise<VerifyCase> {
  const where = join(folder.path, sizesFile)
  const { cases } = parseObject(where, `{"cases":${await folder.readText(sizesFile)}}`)
  const fits = (item: unknown): item is Record<string, number> =>
    isObject(item) && ['h', 'w', 'out_h', 'out_w'].every(key => Number.isInteger(item[key]) && Number(item[key]) > 0)
  if (!Array.isArray(cases) || !cases.every(fits)) throw new FileError({ where, what: 'not sizes of pictures' })
  const actual = cases.flatMap(({ h, w }) => depthSize({ height: h, width: w }, shortSide))
  const expected = cases.flatMap(({ out_h, out_w }) => [out_h, out_w])
  return compareAbsolutely(folder.title, 'infer_size_cases', actual, expected, 0)
}

async function* verify(
  folder: GoldenFolder,
  runtime: Runtime,
  claimed: readonly string[],
): AsyncGenerator<VerifyOutcome, void, undefined> {
  yield* withNetwork(folder, runtime, 'model', async function* ({ config, configPath, checkpoint }) {
    const parsed = parseOriginalConfig(configPath, config)
    using model = await DepthAnythingForDepthEstimation.load(runtime, fromOriginal(checkpoint), parsed)
    const files = claimed.filter(name => name.startsWith('io'))
    yield* attemptFiles(folder, files, (name, file) => verifyFile(name, model, runtime, file))
  })
  if (claimed.includes('resize_back'))
    yield* attemptFiles(folder, ['resize_back'], (name, file) => verifyResize(name, runtime, file))
  if (folder.files.has(sizesFile)) yield await verifySizes(folder)
}

export const depthAnythingKind: GoldenKind = {
  async claim(folder) {
    if (!folder.files.has('config.json') || !folder.files.has('model.safetensors')) return []
    const { encoder, out_channels } = await folder.readObject('config.json')
    if (!isObject(encoder) || out_channels === undefined) return []
    return ['model', ...folder.tensorFiles('io'), ...folder.tensorFiles('resize_back')]
  },
  verify,
}
