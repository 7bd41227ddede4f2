// What CLIP's two towers share: layers, a projection into the space of pictures and texts, how they load and end.

import { Linear, loadModel, type ModelLoadOptions, type Weights, type WeightScope } from '../../nn/index.js'
import type { TensorFile } from '../../tensor/files/index.js'
import type { Runtime, Tensor } from '../../tensor/index.js'
import { CLIPEncoderLayer, type CLIPLayerOptions } from './encoder.js'

/** What both towers' configurations hold. */
export interface CLIPTowerConfig extends CLIPLayerOptions {
  layers: number
  /** Width of the embedding that comes out. */
  projectionDim: number
}

/** The layers of a tower. */
export class CLIPEncoder {
  readonly layers: readonly CLIPEncoderLayer[]

  constructor(scope: WeightScope, options: CLIPTowerConfig) {
    this.layers = Array.from({ length: options.layers }, (_, i) => new CLIPEncoderLayer(scope.at('layers', i), options))
  }
}

/** What comes out of a tower before its projection. */
export interface CLIPTowerOutput {
  /** All tokens, [B,N,C]. */
  lastHiddenState: Tensor
  /** The one that stands for all, [B,C]. */
  poolerOutput: Tensor
}

/** A tower with its weights. */
export abstract class CLIPTower<C extends CLIPTowerConfig> implements Disposable {
  constructor(
    readonly config: C,
    readonly weights: Weights,
  ) {}

  /** The linear layer, without bias, from a token to the space that pictures and texts share. */
  protected projection(name: string): Linear {
    const { hiddenSize, projectionDim } = this.config
    return new Linear(this.weights.scope().at(name), hiddenSize, projectionDim, { bias: false })
  }

  /** Releases the weights. */
  dispose(): void {
    this.weights.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** A kind of tower; `unusedWeights` are names that a file may hold. */
interface TowerClass<C, M> {
  new (config: C): M
  readonly unusedWeights: readonly string[]
}

/** Builds a tower and loads its weights. Errors: as loadModel. */
export function loadTower<C, M extends { readonly weights: Weights }>(
  Tower: TowerClass<C, M>,
  runtime: Runtime,
  file: TensorFile,
  config: C,
  options?: ModelLoadOptions<M>,
): Promise<M> {
  const ignore = [...Tower.unusedWeights, ...(options?.ignore ?? [])]
  return loadModel(runtime, () => new Tower(config), file, { ...options, ignore })
}
