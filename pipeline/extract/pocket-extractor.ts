// Extraction by the network in a model's own folder, which sees parts and joints in what that model makes.

import { openPartExtractor, seeParts } from '../../models/extractor/sight.js'
import type { Picture } from '../../models/svd/picture.js'
import type { Runtime } from '../../tensor/index.js'
import type { Scene } from '../scene/scene.js'
import type { ExtractOptions, Extractor } from './extractor.js'
import { TrackFitter } from './fit/body-fitter.js'
import { PartDetector } from './part-detector.js'
import { SceneExtractor } from './scene-extractor.js'

/** Makes scenes by a part extractor; its weights are in memory only while it works. */
export class PocketExtractor implements Extractor {
  /** `folder`: of the extractor's config.json and model.safetensors. */
  constructor(
    private readonly runtime: Runtime,
    private readonly folder: string,
  ) {}

  /** Errors: as `Extractor.extract`, and as `openPartExtractor`. */
  async extract(frames: readonly Picture[], options?: ExtractOptions): Promise<Scene> {
    const { runtime, folder } = this
    using network = await openPartExtractor(runtime, folder)
    const detector = new PartDetector(picture => seeParts(runtime, network, picture))
    // Awaited here: the network goes when this function is left.
    return await new SceneExtractor({ detector, fitter: new TrackFitter(runtime) }).extract(frames, options)
  }
}
