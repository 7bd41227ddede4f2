// YOLOv8-seg (ultralytics/ultralytics, `yolo export model=yolov8n-seg.pt format=onnx`): everybody and everything with
// masks. In: images [1,3,S,S], RGB in 0..1, the picture in the middle of grey. Out: output0 [1, 4 + 80 + 32, N], boxes
// (middle, size), classes' scores and coefficients; output1 [1,32,S/4,S/4], what masks are mixed from.

import type { LabelMap, Picture } from '../../../models/svd/picture.js'
import { cocoClasses, kindOfClass } from '../coco.js'
import type { Box, Detection, Detector } from '../detection.js'
import { overlap } from '../track.js'
import { openOnnx, type OnnxArray, type OnnxNetwork, type OnnxOptions } from './session.js'
import { look, type Normalisation, type Window } from './window.js'

const classes = cocoClasses.length
const coefficients = 32
const normalisation: Normalisation = { mean: [0, 0, 0], deviation: [255, 255, 255], around: 114 }

export interface YoloOptions extends OnnxOptions {
  /** Pixels on a side that the network takes. Default: 640. */
  readonly size?: number
  /** Less sure ones are left out. Default: 0.25. */
  readonly leastScore?: number
  /** Of two of a class that overlap more than this the less sure one is left out. Default: 0.7. */
  readonly mostOverlap?: number
}

// No picture shows more, and none is looked for longer.
const mostFound = 100

/** Detects COCO's 80 classes. */
export class YoloSegDetector implements Detector {
  private constructor(
    private readonly network: OnnxNetwork,
    private readonly options: YoloOptions,
  ) {}

  /** Errors: as `openOnnx`. */
  static async open(file: string | Uint8Array, options: YoloOptions = {}): Promise<YoloSegDetector> {
    return new YoloSegDetector(await openOnnx(file, 'images', options), options)
  }

  async detect(picture: Picture): Promise<Detection[]> {
    const { size = 640, leastScore = 0.25, mostOverlap = 0.7 } = this.options
    const longer = Math.max(picture.width, picture.height)
    const [x, y] = [(picture.width - 1) / 2, (picture.height - 1) / 2]
    const box = { left: x - longer / 2, top: y - longer / 2, right: x + longer / 2, bottom: y + longer / 2 }
    const window: Window = { box, width: size, height: size }
    const { output0, output1 } = await this.network.run(look(picture, window, normalisation), {
      output0: [1, 4 + classes + coefficients, -1],
      output1: [1, coefficients, size / 4, size / 4],
    })
    const found = candidates(output0, leastScore).sort((a, b) => b.score - a.score)
    const kept: Candidate[] = []
    for (const one of found) {
      if (kept.length === mostFound) break
      const isAnother = kept.every(({ label, box }) => label !== one.label || overlap(box, one.box) <= mostOverlap)
      if (isAnother) kept.push(one)
    }
    const scale = longer / size
    // Boxes are told from the window's edge; half a pixel further is its first pixel's centre.
    const across = (value: number) => Math.min(picture.width - 0.5, Math.max(-0.5, box.left + value * scale))
    const down = (value: number) => Math.min(picture.height - 0.5, Math.max(-0.5, box.top + value * scale))
    return kept.map((one): Detection => {
      const name = cocoClasses[one.label]
      const own = {
        left: across(one.box.left),
        top: down(one.box.top),
        right: across(one.box.right),
        bottom: down(one.box.bottom),
      }
      const mask = maskOf(picture, own, window, one.mix, output1)
      return { kind: kindOfClass(name), name, box: own, score: one.score, mask, keypoints: [] }
    })
  }

  close(): Promise<void> {
    return this.network.close()
  }
}

interface Candidate {
  readonly label: number
  readonly score: number
  /** In the window's pixels. */
  readonly box: Box
  /** [32] */
  readonly mix: readonly number[]
}

function candidates({ data, shape: [, , count] }: OnnxArray, leastScore: number): Candidate[] {
  const at = (row: number, i: number) => data[row * count + i]
  return Array.from({ length: count }, (_, i) => i).flatMap((i): Candidate[] => {
    let label = 0
    for (let other = 1; other < classes; other++) if (at(4 + other, i) > at(4 + label, i)) label = other
    const score = at(4 + label, i)
    if (!(score >= leastScore)) return []
    const [x, y, width, height] = [at(0, i), at(1, i), at(2, i), at(3, i)]
    const box = { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 }
    const mix = Array.from({ length: coefficients }, (_, k) => at(4 + classes + k, i))
    return [{ label, score: Math.min(1, score), box, mix }]
  })
}

/** The pixels of a box where the mixture is above one half, after the logistic function: above 0 before it. */
function maskOf(
  { width, height }: Picture,
  { left, top, right, bottom }: Box,
  { box }: Window,
  mix: readonly number[],
  { data, shape: [, , rows, columns] }: OnnxArray,
): LabelMap {
  const mixed = new Float32Array(rows * columns)
  mix.forEach((share, k) => {
    for (let i = 0; i < mixed.length; i++) mixed[i] += share * data[k * mixed.length + i]
  })
  const value = (x: number, y: number) =>
    mixed[Math.min(rows - 1, Math.max(0, y)) * columns + Math.min(columns - 1, Math.max(0, x))]
  const mask = { width, height, data: new Uint8Array(width * height) }
  const scale = columns / (box.right - box.left)
  for (let y = Math.max(0, Math.ceil(top)); y <= Math.min(height - 1, bottom); y++)
    for (let x = Math.max(0, Math.ceil(left)); x <= Math.min(width - 1, right); x++) {
      const [column, row] = [(x - box.left) * scale - 0.5, (y - box.top) * scale - 0.5]
      const [u, v] = [column - Math.floor(column), row - Math.floor(row)]
      const [i, j] = [Math.floor(column), Math.floor(row)]
      const upper = (1 - u) * value(i, j) + u * value(i + 1, j)
      const lower = (1 - u) * value(i, j + 1) + u * value(i + 1, j + 1)
      if ((1 - v) * upper + v * lower > 0) mask.data[y * width + x] = 1
    }
  return mask
}
