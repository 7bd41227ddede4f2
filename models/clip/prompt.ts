// Texts as other networks are conditioned on them: the tokens of CLIP's text tower, out of a folder.

import { loadModel, Weights } from '../../nn/index.js'
import type { Runtime, Tensor } from '../../tensor/index.js'
import { isThere } from '../checkpoint.js'
import { openModelPart, withWeights } from '../svd/folder.js'
import { parseCLIPTextConfig, type CLIPTextConfig } from './config.js'
import { checkTokenIds, CLIPTextModelWithProjection, CLIPTextTransformer } from './text.js'
import { CLIPTokenizer } from './tokenizer.js'

// Weights that checkpoints of the tower hold besides: only tokens are asked for here, which are not projected.
const unused = ['text_projection.weight', ...CLIPTextModelWithProjection.unusedWeights]

/** CLIP's text tower with its tokenizer. */
export class PromptEncoder implements Disposable {
  readonly weights = new Weights()
  readonly #transformer: CLIPTextTransformer

  private constructor(
    private readonly config: CLIPTextConfig,
    private readonly tokenizer: CLIPTokenizer,
  ) {
    this.#transformer = new CLIPTextTransformer(this.weights.scope().at('text_model'), config)
  }

  /**
   * Opens a folder with a text tower (config.json, model.safetensors; CLIPTextModel, with a projection or without) and its
   * tokenizer, side by side or, as diffusers lays them out, in text_encoder/ and tokenizer/. Throws a FileError if it
   * holds none.
   */
  static async open(runtime: Runtime, folder: string): Promise<PromptEncoder> {
    const { join } = await import('node:path')
    const isSplit = await isThere(join(folder, 'text_encoder'))
    const at = (part: string) => (isSplit ? join(folder, part) : folder)
    const part = await openModelPart(at('text_encoder'), 'model', parseCLIPTextConfig)
    const tokenizer = await CLIPTokenizer.open(at('tokenizer'))
    const build = () => new PromptEncoder(part.config, tokenizer)
    return withWeights(part, file => loadModel(runtime, build, file, { ignore: unused }))
  }

  /** Width of a token. */
  get channels(): number {
    return this.config.hiddenSize
  }

  /**
   * Texts to [B, `tokens`, `channels`]: all tokens after the last norm, cut off or filled up to their number, 2 or more.
   * Throws a UsageError for more tokens than the tower reads, and as CLIPTokenizer.encode.
   */
  encode(texts: readonly string[], tokens: number): Tensor {
    const ids = this.tokenizer.encode(texts, tokens)
    checkTokenIds(ids, this.config)
    const { lastHiddenState, poolerOutput } = this.#transformer.forward(ids)
    poolerOutput.dispose()
    return lastHiddenState
  }

  /** Releases the weights. */
  dispose(): void {
    this.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
