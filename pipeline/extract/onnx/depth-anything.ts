// Depth Anything V2 as transformers exports it (optimum, onnx-community/depth-anything-v2-small). In: pixel_values
// [1,3,h,w], ImageNet's normalisation, sides that are multiples of 14. Out: predicted_depth [1,h,w], relative inverse
// depth.

import { checkPatches, depthSize } from '../../../models/depth/preprocess.js'
import type { Picture } from '../../../models/svd/picture.js'
import type { DepthEstimator, DepthMap } from '../extractor.js'
import { openOnnx, type OnnxNetwork, type OnnxOptions } from './session.js'
import { imageNet, look } from './window.js'

export interface OnnxDepthOptions extends OnnxOptions {
  /** The shorter side at which the network sees a picture, in pixels. Default: 518. */
  readonly shortSide?: number
}

/** Depth from an ONNX file. */
export class OnnxDepth implements DepthEstimator {
  private constructor(
    private readonly network: OnnxNetwork,
    private readonly shortSide: number,
  ) {}

  /** Errors: as `openOnnx`. */
  static async open(file: string | Uint8Array, { shortSide = 518, ...options }: OnnxDepthOptions = {}) {
    return new OnnxDepth(await openOnnx(file, 'pixel_values', options), shortSide)
  }

  /** Errors: as depthSize and checkPatches; a FileError for a network of other outputs. */
  async estimate(picture: Picture): Promise<DepthMap> {
    const [height, width] = depthSize(picture, this.shortSide)
    checkPatches([height, width])
    const box = { left: -0.5, top: -0.5, right: picture.width - 0.5, bottom: picture.height - 0.5 }
    const input = look(picture, { box, width, height }, { ...imageNet, around: undefined })
    const { predicted_depth: seen } = await this.network.run(input, { predicted_depth: [1, height, width] })
    const data = new Float32Array(picture.width * picture.height)
    const value = (x: number, y: number) =>
      seen.data[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))]
    for (let row = 0; row < picture.height; row++)
      for (let column = 0; column < picture.width; column++) {
        const [x, y] = [((column + 0.5) * width) / picture.width - 0.5, ((row + 0.5) * height) / picture.height - 0.5]
        const [i, j] = [Math.floor(x), Math.floor(y)]
        const upper = (1 - x + i) * value(i, j) + (x - i) * value(i + 1, j)
        const lower = (1 - x + i) * value(i, j + 1) + (x - i) * value(i + 1, j + 1)
        data[row * picture.width + column] = (1 - y + j) * upper + (y - j) * lower
      }
    return { width: picture.width, height: picture.height, data }
  }

  close(): Promise<void> {
    return this.network.close()
  }
}
