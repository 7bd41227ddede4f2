// An extractor out of the parts that are there.

import { DepthNetwork } from '../../models/depth/depth-network.js'
import type { BodyData } from '../../models/body/body-data.js'
import { openPartExtractor, seeParts } from '../../models/extractor/sight.js'
import type { Runtime } from '../../tensor/index.js'
import type { Detector } from './detection.js'
import type { Extractor } from './extractor.js'
import { TrackFitter } from './fit/body-fitter.js'
import { HumanModelsDetector } from './human-models/detector.js'
import { openOnnxFolder } from './onnx/folder.js'
import { PartDetector } from './part-detector.js'
import { SceneExtractor } from './scene-extractor.js'

export interface OpenExtractorOptions {
  /** What finds people, animals and things. Default: the one that `revision setup extract` installs. */
  readonly detector?: Detector
  /** Instead: folder of a part extractor (config.json, model.safetensors), which knows the pictures of one model. */
  readonly parts?: string
  /** Instead: folder of ONNX networks; see `openOnnxFolder`. */
  readonly onnx?: string
  /** Folder of a depth model; without one depth follows from where things touch the floor. */
  readonly depth?: string
  /** A body with SMPL-X's joints to fit people with. Default: the open one. */
  readonly human?: BodyData
}

/**
 * Opens an extractor. Throws a FileError if the detector is not installed, and tells how to; or if a folder does not hold
 * the model that it should.
 */
export async function openExtractor(
  runtime: Runtime,
  { detector, parts, onnx, depth, human }: OpenExtractorOptions = {},
): Promise<Extractor & Disposable> {
  const opened: Disposable[] = []
  const close = () => {
    for (const one of opened.splice(0)) one[Symbol.dispose]()
  }
  const keep = <T extends Disposable>(one: T): T => {
    opened.push(one)
    return one
  }
  const openDetector = async (): Promise<Detector> => {
    if (parts === undefined) return keep(await HumanModelsDetector.open())
    const network = keep(await openPartExtractor(runtime, parts))
    return new PartDetector(picture => seeParts(runtime, network, picture))
  }
  try {
    const networks = onnx === undefined ? undefined : await openOnnxFolder(onnx)
    if (networks) keep({ [Symbol.dispose]: () => void networks.close() })
    const extractor = new SceneExtractor({
      detector: detector ?? networks?.detector ?? (await openDetector()),
      fitter: new TrackFitter(runtime, { human }),
      depth: depth === undefined ? networks?.depth : keep(await DepthNetwork.open(runtime, depth)),
    })
    return { extract: (frames, options) => extractor.extract(frames, options), [Symbol.dispose]: close }
  } catch (error) {
    close()
    throw error
  }
}
