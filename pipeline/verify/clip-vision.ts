// Golden folders of CLIP's picture tower.

import { CLIPVisionModelWithProjection, parseCLIPVisionConfig } from '../../models/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import type { Runtime } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { SeenModules } from './modules.js'
import { attemptFiles, compareOutputs, networkClass, networkTolerance, withNetwork } from './network.js'
import { readTensor, type VerifyOutcome } from './outcome.js'

async function* verifyFile(
  name: string,
  model: CLIPVisionModelWithProjection,
  runtime: Runtime,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  using seen = new SeenModules(model.weights, file)
  using pixels = await readTensor(runtime, file, 'pixel_values')
  const { imageEmbeds, lastHiddenState, poolerOutput } = model.forward(pixels)
  yield* compareOutputs(name, file, {
    image_embeds: imageEmbeds,
    last_hidden_state: lastHiddenState,
    pooler_output: poolerOutput,
  })
  yield* seen.compare(name, () => networkTolerance)
}

async function* verify(
  folder: GoldenFolder,
  runtime: Runtime,
  claimed: readonly string[],
): AsyncGenerator<VerifyOutcome, void, undefined> {
  yield* withNetwork(folder, runtime, 'model', async function* ({ config, configPath, checkpoint }) {
    const parsed = parseCLIPVisionConfig(configPath, config)
    using model = await CLIPVisionModelWithProjection.load(runtime, checkpoint, parsed)
    const files = claimed.filter(name => name.startsWith('io'))
    yield* attemptFiles(folder, files, (name, file) => verifyFile(name, model, runtime, file))
  })
}

export const clipVisionKind: GoldenKind = {
  async claim(folder) {
    if ((await networkClass(folder)) !== 'clip_vision_model') return []
    return ['model', ...folder.tensorFiles('io')]
  },
  verify,
}
