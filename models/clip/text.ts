// CLIP's text tower.
// Ported from huggingface/transformers: models/clip/modeling_clip.py (CLIPTextEmbeddings, CLIPTextTransformer,
// CLIPTextModelWithProjection). What differs: ids stay on the host, where they are checked and the end of a text is
// found; no mask of the padding, which comes after the end, where no token before it looks.

import { add, embedding, indexSelect, slice } from '../../kernels/index.js'
import {
  into,
  LayerNorm,
  type Linear,
  Weights,
  type ModelLoadOptions,
  type Parameter,
  type WeightScope,
} from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { scope as release, Tensor, UsageError, type Runtime } from '../../tensor/index.js'
import type { CLIPTextConfig } from './config.js'
import { CLIPEncoder, CLIPTower, loadTower, type CLIPTowerOutput } from './tower.js'

/** Texts as rows of ids of their tokens, one length for all. */
export type TokenIds = readonly (readonly number[])[]

/** What old configurations give as the id of the end, whatever their vocabulary says. */
const legacyEosTokenId = 2

/** Tokens, each with the embedding of its place. */
class CLIPTextEmbeddings {
  readonly token_embedding: { readonly weight: Parameter }
  readonly position_embedding: { readonly weight: Parameter }

  constructor(scope: WeightScope, { vocabSize, maxTokens, hiddenSize }: CLIPTextConfig) {
    this.token_embedding = { weight: scope.at('token_embedding').parameter('weight', [vocabSize, hiddenSize]) }
    const position = scope.at('position_embedding')
    this.position_embedding = { weight: position.parameter('weight', [maxTokens, hiddenSize], { dtype: 'f32' }) }
  }

  /** Ids [B][N] to [B,N,C]. */
  forward(inputIds: TokenIds): Tensor {
    const shape = [inputIds.length, inputIds[0].length]
    return release(() => {
      const table = this.token_embedding.weight.value
      const ids = Tensor.from(table.runtime, inputIds.flat(), shape, 'i32', 'input_ids')
      const places = slice(this.position_embedding.weight.value, 0, 0, shape[1]) // [N,C]
      return add(embedding(table, ids), places) // [B,N,C]
    })
  }
}

/** The tower without its projection. */
export class CLIPTextTransformer {
  readonly embeddings: CLIPTextEmbeddings
  readonly encoder: CLIPEncoder
  readonly final_layer_norm: LayerNorm

  constructor(
    scope: WeightScope,
    private readonly config: CLIPTextConfig,
  ) {
    const { hiddenSize, layerNormEps } = config
    this.embeddings = new CLIPTextEmbeddings(scope.at('embeddings'), config)
    this.encoder = new CLIPEncoder(scope.at('encoder'), { ...config, causal: true })
    this.final_layer_norm = new LayerNorm(scope.at('final_layer_norm'), hiddenSize, layerNormEps)
  }

  /** Ids [B][N] to all tokens [B,N,C] and the one where each text ends [B,C]. */
  forward(inputIds: TokenIds): CLIPTowerOutput {
    return release(() => {
      let h = this.embeddings.forward(inputIds)
      for (const layer of this.encoder.layers) h = into(h, h => layer.forward(h))
      const normed = into(h, h => this.final_layer_norm.forward(h))
      const [batch, tokens, channels] = normed.shape
      const rows = inputIds.map((ids, b) => b * tokens + endOfText(ids, this.config.eosTokenId))
      const index = Tensor.from(normed.runtime, rows, [batch], 'i32', 'ends of texts')
      const ends = indexSelect(normed.reshape([-1, channels]), 0, index) // [B,C]
      return { lastHiddenState: normed, poolerOutput: ends }
    })
  }
}

/** Where a text ends, as an index into its ids; -1 if it does not. */
function endOfText(ids: readonly number[], eosTokenId: number): number {
  return ids.indexOf(eosTokenId === legacyEosTokenId ? Math.max(...ids) : eosTokenId)
}

/** What comes out of the text tower. */
export interface CLIPTextOutput {
  /** [B,D], in the space that CLIP's pictures share; not normalised. */
  textEmbeds: Tensor
  /** [B,N,C]: all tokens, after final_layer_norm. */
  lastHiddenState: Tensor
  /** [B,C]: the token that ends the text, after final_layer_norm. */
  poolerOutput: Tensor
}

/** Embeds texts. */
export class CLIPTextModelWithProjection extends CLIPTower<CLIPTextConfig> {
  /** 0, 1, 2, ...: stored by older versions of the library. */
  static readonly unusedWeights = ['text_model.embeddings.position_ids']

  readonly text_model: CLIPTextTransformer
  readonly text_projection: Linear

  constructor(config: CLIPTextConfig, weights = new Weights()) {
    super(config, weights)
    this.text_model = new CLIPTextTransformer(weights.scope().at('text_model'), config)
    this.text_projection = this.projection('text_projection')
  }

  /** Builds the model and loads its weights. Errors: as loadModel. */
  static load(
    runtime: Runtime,
    file: TensorFile,
    config: CLIPTextConfig,
    options?: ModelLoadOptions<CLIPTextModelWithProjection>,
  ): Promise<CLIPTextModelWithProjection> {
    return loadTower(CLIPTextModelWithProjection, runtime, file, config, options)
  }

  /**
   * inputIds [B][N] as CLIPTokenizer gives them, N at most config.maxTokens. Throws a UsageError if rows are empty, too
   * long or of different lengths, if an id is not in the vocabulary, or if a text has no end.
   */
  forward(inputIds: TokenIds): CLIPTextOutput {
    checkTokenIds(inputIds, this.config)
    return release(() => {
      const { lastHiddenState, poolerOutput } = this.text_model.forward(inputIds)
      return { textEmbeds: this.text_projection.forward(poolerOutput), lastHiddenState, poolerOutput }
    })
  }
}

/** Refuses ids that are not of texts that the model reads; throws a UsageError. */
export function checkTokenIds(inputIds: TokenIds, { maxTokens, vocabSize, eosTokenId }: CLIPTextConfig): void {
  const refuse = (what: string, expected: string, got: string): never => {
    throw new UsageError({ where: 'clip text', what, expected, got, hint: 'the tokenizer of the checkpoint' })
  }
  if (inputIds.length === 0) refuse('no texts', 'at least one', '0')
  const tokens = inputIds[0].length
  if (!(tokens >= 1 && tokens <= maxTokens)) refuse('bad length of a text', `1..${maxTokens} tokens`, `${tokens}`)
  for (const ids of inputIds) {
    if (ids.length !== tokens) refuse('texts of different lengths', `${tokens} tokens each`, `${ids.length}`)
    const stranger = ids.find(id => !(Number.isInteger(id) && id >= 0 && id < vocabSize))
    if (stranger !== undefined) refuse('unknown token', `ids in 0..${vocabSize - 1}`, String(stranger))
    if (endOfText(ids, eosTokenId) < 0) refuse('a text without end', `token ${eosTokenId} in each`, 'none')
  }
}
