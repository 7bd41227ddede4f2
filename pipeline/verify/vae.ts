// Golden folders of the video autoencoder: `encode*` and `decode*` files.

import { AutoencoderKLTemporalDecoder, parseVaeConfig } from '../../models/index.js'
import { affine, exp } from '../../kernels/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { scope, type Runtime, type Tensor } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { SeenModules } from './modules.js'
import { attemptFiles, compareOutputs, networkClass, networkTolerance, withNetwork } from './network.js'
import { readNumbers, readTensor, type VerifyOutcome } from './outcome.js'

const weights = 'diffusion_pytorch_model'

async function* verifyFile(
  name: string,
  vae: AutoencoderKLTemporalDecoder,
  runtime: Runtime,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  using seen = new SeenModules(vae.weights, file)
  const outputs = file.tensors.has('z') ? await decode(vae, runtime, file) : await encode(vae, runtime, file)
  yield* compareOutputs(name, file, outputs)
  yield* seen.compare(name, () => networkTolerance)
}

async function encode(vae: AutoencoderKLTemporalDecoder, runtime: Runtime, file: TensorFile) {
  using image = await readTensor(runtime, file, 'image')
  return scope((): Record<string, Tensor> => {
    const { mean, logvar } = vae.encode(image)
    return { mean, logvar, std: exp(affine(logvar, 0.5, 0)), mode: mean.share() }
  })
}

async function decode(vae: AutoencoderKLTemporalDecoder, runtime: Runtime, file: TensorFile) {
  const numFrames = (await readNumbers(file, 'num_frames')).data[0]
  using z = await readTensor(runtime, file, 'z')
  return { sample: vae.decode(z, numFrames) }
}

async function* verify(
  folder: GoldenFolder,
  runtime: Runtime,
  claimed: readonly string[],
): AsyncGenerator<VerifyOutcome, void, undefined> {
  yield* withNetwork(folder, runtime, weights, async function* ({ config, configPath, checkpoint }) {
    using vae = await AutoencoderKLTemporalDecoder.load(runtime, checkpoint, parseVaeConfig(configPath, config))
    const files = claimed.filter(name => name !== weights)
    yield* attemptFiles(folder, files, (name, file) => verifyFile(name, vae, runtime, file))
  })
}

export const vaeKind: GoldenKind = {
  async claim(folder) {
    if ((await networkClass(folder)) !== 'AutoencoderKLTemporalDecoder') return []
    return [weights, ...folder.tensorFiles('encode'), ...folder.tensorFiles('decode')]
  },
  verify,
}
