// What the part extractor sees in a picture, as labels and joints on the host.

import { argmax, softmax } from '../../kernels/index.js'
import { scope, Tensor, type Runtime } from '../../tensor/index.js'
import { openModelPart, withWeights } from '../svd/folder.js'
import type { LabelMap, Picture } from '../svd/picture.js'
import { videoPixels } from '../svd/preprocess.js'
import { resizeNearest } from '../svd/resize.js'
import { parsePartExtractorConfig } from './config.js'
import { PartExtractor } from './extractor.js'

/** A joint of a person in a picture. */
export interface SeenJoint {
  /** Pixels from the top-left pixel's centre. */
  readonly x: number
  readonly y: number
  /** Metres behind the pelvis. */
  readonly depth: number
  /** 0..1: how much of what the network believes lies close to this place. */
  readonly score: number
}

/** A picture's parts and joints. */
export interface SeenParts {
  /** At the picture's size. */
  readonly labels: LabelMap
  /** One for each joint of the body's skeleton: where it would be, if a person is there at all. */
  readonly joints: readonly SeenJoint[]
}

/** Loads the extractor in a folder of config.json and model.safetensors. Throws a FileError if it is none. */
export async function openPartExtractor(runtime: Runtime, folder: string): Promise<PartExtractor> {
  const part = await openModelPart(folder, 'model', parsePartExtractorConfig)
  return withWeights(part, file => PartExtractor.load(runtime, file, part.config))
}

// Cells around the likeliest one that a joint's place is the mean of, and that its score counts.
const reach = 1.5

/** Looks at pictures one by one; they are brought to the size that the extractor knows. */
export async function seeParts(runtime: Runtime, extractor: PartExtractor, picture: Picture): Promise<SeenParts> {
  const { imageSize, joints } = extractor.config
  const pixels = videoPixels(picture, imageSize, imageSize)
  const found = scope(() => {
    const { labels, places, depths } = extractor.forward(Tensor.from(runtime, pixels, [1, 3, imageSize, imageSize]))
    return { labels: argmax(labels, -1), heat: softmax(places, -1), depths }
  })
  using labels = found.labels
  using heat = found.heat
  using depths = found.depths
  const [parts, maps, behind] = [await labels.data(), await heat.floats(), await depths.floats()]
  const map = { width: imageSize, height: imageSize, data: Uint8Array.from(parts) }
  const side = imageSize / 2
  return {
    labels: resizeNearest(map, picture.width, picture.height),
    joints: Array.from({ length: joints }, (_, joint): SeenJoint => {
      const { x, y, score } = peakOf(maps.subarray(joint * side * side, (joint + 1) * side * side), side)
      const scale = (cell: number, size: number) => ((cell + 0.5) * size) / side - 0.5
      return { x: scale(x, picture.width), y: scale(y, picture.height), depth: behind[joint], score }
    }),
  }
}

/** The likeliest place of a map [side x side] of probabilities, between its cells. */
function peakOf(map: Float32Array, side: number): { x: number; y: number; score: number } {
  const best = map.indexOf(map.reduce((most, value) => Math.max(most, value), 0))
  const [column, row] = [best % side, Math.floor(best / side)]
  let [score, x, y] = [0, 0, 0]
  map.forEach((value, i) => {
    const [cx, cy] = [i % side, Math.floor(i / side)]
    if (Math.hypot(cx - column, cy - row) > reach) return
    score += value
    x += value * cx
    y += value * cy
  })
  return { x: x / score, y: y / score, score: Math.min(score, 1) }
}
