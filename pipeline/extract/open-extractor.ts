// An extractor out of the parts that are there.

import { DepthNetwork } from '../../models/depth/depth-network.js'
import type { BodyData } from '../../models/body/body-data.js'
import type { Runtime } from '../../tensor/index.js'
import type { Detector } from './detection.js'
import type { Extractor } from './extractor.js'
import { TrackFitter } from './fit/body-fitter.js'
import { HumanModelsDetector } from './human-models/detector.js'
import { SceneExtractor } from './scene-extractor.js'

export interface OpenExtractorOptions {
  /** What finds people, animals and things. Default: the one that `revision setup extract` installs. */
  readonly detector?: Detector
  /** Folder of a depth model; without one depth follows from where things touch the floor. */
  readonly depth?: string
  /** A body with SMPL-X's joints to fit people with. Default: the open one. */
  readonly human?: BodyData
}

/**
 * Opens an extractor. Throws a FileError if the detector is not installed, and tells how to; or if the depth model's
 * folder holds none.
 */
export async function openExtractor(
  runtime: Runtime,
  { detector, depth, human }: OpenExtractorOptions = {},
): Promise<Extractor & Disposable> {
  const own = detector ? undefined : await HumanModelsDetector.open()
  try {
    const network = depth === undefined ? undefined : await DepthNetwork.open(runtime, depth)
    const fitter = new TrackFitter(runtime, { human })
    const extractor = new SceneExtractor({ detector: detector ?? own!, fitter, depth: network })
    return {
      extract: (frames, options) => extractor.extract(frames, options),
      [Symbol.dispose]() {
        own?.dispose()
        network?.dispose()
      },
    }
  } catch (error) {
    own?.dispose()
    throw error
  }
}
