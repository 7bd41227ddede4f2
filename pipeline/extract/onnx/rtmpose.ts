// RTMPose (open-mmlab/mmpose, projects/rtmpose; exported by mmdeploy): keypoints in a box, by SimCC. In: input [1,3,H,W],
// the box and a quarter more around it, ImageNet's normalisation. Out: simcc_x [1,K,2 W] and simcc_y [1,K,2 H]: for
// each point how likely each column and row is, at half pixels.

import type { Picture } from '../../../models/svd/picture.js'
import type { Detection } from '../detection.js'
import { animalKeypoints, cocoKeypoints, type KeypointName } from '../keypoints.js'
import type { PoseNetwork } from './posed-detector.js'
import { openOnnx, type OnnxArray, type OnnxNetwork, type OnnxOptions } from './session.js'
import { imageNet, look, outOfWindow, windowAround } from './window.js'

const split = 2
const larger = 1.25

export interface RtmPoseOptions extends OnnxOptions {
  /** Whose points it finds: COCO's 17 of people, or AP-10K's 17 of animals. Default: human. */
  readonly kind?: 'human' | 'animal'
  /** Pixels that the network takes. Default: 192 x 256 of people, 256 x 256 of animals. */
  readonly width?: number
  readonly height?: number
}

/** Finds keypoints. */
export class RtmPose implements PoseNetwork {
  private constructor(
    private readonly network: OnnxNetwork,
    private readonly kind: 'human' | 'animal',
    private readonly size: { readonly width: number; readonly height: number },
  ) {}

  /** Errors: as `openOnnx`. */
  static async open(file: string | Uint8Array, options: RtmPoseOptions = {}): Promise<RtmPose> {
    const { kind = 'human', width = kind === 'human' ? 192 : 256, height = 256 } = options
    return new RtmPose(await openOnnx(file, 'input', options), kind, { width, height })
  }

  async see(picture: Picture, detection: Detection): Promise<Detection> {
    if (detection.kind !== this.kind) return detection
    const names: readonly KeypointName[] = this.kind === 'human' ? cocoKeypoints : animalKeypoints
    const { width, height } = this.size
    const window = windowAround(detection.box, this.size, larger)
    const { simcc_x: columns, simcc_y: rows } = await this.network.run(look(picture, window, imageNet), {
      simcc_x: [1, names.length, split * width],
      simcc_y: [1, names.length, split * height],
    })
    const keypoints = names.map((name, i) => {
      const [column, row] = [likeliest(columns, i), likeliest(rows, i)]
      const [x, y] = outOfWindow(window, column.place / split, row.place / split)
      return { name, x, y, score: Math.min(1, Math.max(0, Math.min(column.value, row.value))) }
    })
    return { ...detection, keypoints }
  }

  close(): Promise<void> {
    return this.network.close()
  }
}

function likeliest({ data, shape: [, , length] }: OnnxArray, point: number): { place: number; value: number } {
  const row = data.subarray(point * length, (point + 1) * length)
  const value = row.reduce((most, other) => Math.max(most, other))
  return { place: row.indexOf(value), value }
}
