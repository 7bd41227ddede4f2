// Depth of pictures, from a model's folder to a map of the picture's own size.

import { resize } from '../../kernels/index.js'
import { checkWeights } from '../../nn/index.js'
import { NumberError, scope as release, type Runtime } from '../../tensor/index.js'
import type { Picture } from '../svd/picture.js'
import { openModelPart, withWeights } from '../svd/folder.js'
import { parseDepthAnythingConfig } from './config.js'
import { DepthAnythingForDepthEstimation } from './depth-anything.js'
import { depthPixels, depthSize } from './preprocess.js'

/** Relative inverse depth of a picture: larger is nearer, up to an unknown scale and shift; none below zero. */
export interface DepthMap {
  width: number
  height: number
  /** [height, width], row by row from the top. */
  data: Float32Array
}

/** How closely to look. */
export interface EstimateOptions {
  /** The shorter side at which the network sees a picture, in pixels. Default: what it was trained at, such as 518. */
  shortSide?: number
}

/** Compares the weights in a folder with what its network needs; throws a FileError. Loads nothing. */
export async function checkDepthFolder(folder: string): Promise<void> {
  const part = await openPart(folder)
  const { weights } = new DepthAnythingForDepthEstimation(part.config)
  const ignore = DepthAnythingForDepthEstimation.unusedWeights
  await withWeights(part, async file => checkWeights(weights, file, ignore))
}

const openPart = (folder: string) => openModelPart(folder, 'model', parseDepthAnythingConfig)

/** A depth network with its weights. */
export class DepthNetwork implements Disposable {
  constructor(
    private readonly runtime: Runtime,
    readonly model: DepthAnythingForDepthEstimation,
  ) {}

  /**
   * Opens a folder as transformers lays it out, with config.json and model.safetensors. Throws a FileError if it holds
   * no such model.
   */
  static async open(runtime: Runtime, folder: string): Promise<DepthNetwork> {
    const part = await openPart(folder)
    const load = DepthAnythingForDepthEstimation.load
    return new DepthNetwork(runtime, await withWeights(part, file => load(runtime, file, part.config)))
  }

  /** The depth of every pixel. Errors: as depthSize and depthPixels; a NumberError if the network gives no numbers. */
  async estimate(picture: Picture, { shortSide }: EstimateOptions = {}): Promise<DepthMap> {
    const { imageSize, patchSize } = this.model.config.backbone
    const { width, height } = picture
    const size = depthSize(picture, shortSide ?? imageSize, patchSize)
    using depth = release(() => {
      const pixels = depthPixels(this.runtime, picture, size, patchSize) // [1,3,h,w]
      const map = this.model.forward(pixels).reshape([1, ...size, 1]) // [1,h,w,1]
      return resize(map, { size: [height, width], mode: 'bilinear', alignCorners: true }) // [1,H,W,1]
    })
    const data = await depth.floats()
    if (!data.every(Number.isFinite))
      throw new NumberError({
        where: 'depth',
        what: 'the network gives numbers that are not finite',
        hint: 'other weights',
      })
    return { width, height, data }
  }

  /** Releases the weights. */
  dispose(): void {
    this.model.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
