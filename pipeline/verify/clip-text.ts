// Golden folders of CLIP's text tower: texts, how well they go with pictures, and how texts are cut into tokens.

import { CLIPTextModelWithProjection, clipSimilarity, parseCLIPTextConfig } from '../../models/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError, type Runtime } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { SeenModules } from './modules.js'
import { attemptFiles, compareOutputs, networkClass, networkTolerance, withNetwork } from './network.js'
import { readNumbers, readTensor, type VerifyOutcome } from './outcome.js'
import { verifyTokenizer } from './tokenizer.js'

async function* verifyFile(
  name: string,
  model: CLIPTextModelWithProjection,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  // The golden file names what goes into the last norm, which is what the last layer gives.
  const last = `text_model.encoder.layers.${model.config.layers - 1}`
  using seen = new SeenModules(model.weights, file, { before_final_layer_norm: last })
  const { data, shape } = await readNumbers(file, 'input_ids')
  if (shape.length !== 2) throw new FileError({ where: file.name, what: 'input_ids are no rows of ids' })
  const [texts, tokens] = shape
  const ids = Array.from({ length: texts }, (_, i) => [...data.subarray(i * tokens, (i + 1) * tokens)])
  const { textEmbeds, lastHiddenState, poolerOutput } = model.forward(ids)
  yield* compareOutputs(name, file, {
    text_embeds: textEmbeds,
    last_hidden_state: lastHiddenState,
    pooler_output: poolerOutput,
  })
  yield* seen.compare(name, () => networkTolerance)
}

async function* verifyLogits(
  name: string,
  runtime: Runtime,
  file: TensorFile,
): AsyncGenerator<VerifyOutcome, void, undefined> {
  using images = await readTensor(runtime, file, 'image_embeds')
  using texts = await readTensor(runtime, file, 'text_embeds')
  const logitScale = (await readNumbers(file, 'logit_scale')).data[0]
  yield* compareOutputs(name, file, {
    cosine: clipSimilarity(images, texts),
    logits_per_image: clipSimilarity(images, texts, logitScale),
  })
}

async function* verify(
  folder: GoldenFolder,
  runtime: Runtime,
  claimed: readonly string[],
): AsyncGenerator<VerifyOutcome, void, undefined> {
  yield* withNetwork(folder, runtime, 'model', async function* ({ config, configPath, checkpoint }) {
    const parsed = parseCLIPTextConfig(configPath, config)
    using model = await CLIPTextModelWithProjection.load(runtime, checkpoint, parsed)
    const of = (prefix: string) => claimed.filter(name => name.startsWith(prefix))
    yield* attemptFiles(folder, of('io'), (name, file) => verifyFile(name, model, file))
    yield* attemptFiles(folder, of('logits'), (name, file) => verifyLogits(name, runtime, file))
  })
  yield* verifyTokenizer(folder)
}

export const clipTextKind: GoldenKind = {
  async claim(folder) {
    if ((await networkClass(folder)) !== 'clip_text_model') return []
    return ['model', ...folder.tensorFiles('io'), ...folder.tensorFiles('logits')]
  },
  verify,
}
