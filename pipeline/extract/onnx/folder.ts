// A folder of ONNX networks: the detector, and whichever of the others are there, by the names of their files.

import { join } from 'node:path'
import { isThere } from '../../../models/checkpoint.js'
import type { Detector } from '../detection.js'
import type { DepthEstimator } from '../extractor.js'
import { OnnxDepth } from './depth-anything.js'
import { HmrPose } from './hmr.js'
import { PosedDetector, type PoseNetwork } from './posed-detector.js'
import { RtmPose } from './rtmpose.js'
import type { OnnxOptions } from './session.js'
import { YoloSegDetector } from './yolo-seg.js'

/** The file that makes a folder one of ONNX networks: YOLOv8-seg. */
export const onnxDetectorFile = 'yolov8-seg.onnx'

/** What was opened. */
export interface OnnxNetworks {
  readonly detector: Detector
  readonly depth?: DepthEstimator
  close(): Promise<void>
}

/**
 * Opens `yolov8-seg.onnx` and, where they are there, `rtmpose.onnx` (people), `rtmpose-animal.onnx`, `hmr.onnx` and
 * `depth-anything.onnx`. Errors: as `openOnnx`.
 */
export async function openOnnxFolder(folder: string, options: OnnxOptions = {}): Promise<OnnxNetworks> {
  const opened: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const network of opened.splice(0)) await network.close()
  }
  const openThere = async <N extends { close(): Promise<void> }>(name: string, open: (file: string) => Promise<N>) => {
    const file = join(folder, name)
    if (!(await isThere(file))) return undefined
    const network = await open(file)
    opened.push(network)
    return network
  }
  try {
    const boxes = await YoloSegDetector.open(join(folder, onnxDetectorFile), options)
    opened.push(boxes)
    const poses: (PoseNetwork | undefined)[] = [
      await openThere('rtmpose.onnx', file => RtmPose.open(file, options)),
      await openThere('rtmpose-animal.onnx', file => RtmPose.open(file, { ...options, kind: 'animal' })),
      await openThere('hmr.onnx', file => HmrPose.open(file, options)),
    ]
    const depth = await openThere('depth-anything.onnx', file => OnnxDepth.open(file, options))
    const detector = new PosedDetector(
      boxes,
      poses.filter(network => network !== undefined),
    )
    return { detector, depth, close }
  } catch (error) {
    await close()
    throw error
  }
}
