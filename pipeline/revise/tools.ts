// What the second stage works with, unless somebody brings tools of their own.

import { join } from 'node:path'
import { isThere } from '../../models/checkpoint.js'
import { openPartExtractor, seeParts } from '../../models/extractor/sight.js'
import type { Runtime } from '../../tensor/index.js'
import { sceneMasks } from '../control/scene-masks.js'
import type { Detector } from '../extract/detection.js'
import { openExtractor, type OpenExtractorOptions } from '../extract/open-extractor.js'
import { PartDetector } from '../extract/part-detector.js'
import { drawOverlay } from '../render/overlay.js'
import type { ReviseTools } from './events.js'

/** What finds people and things; see docs/revise.md. */
export const detectorNames = ['auto', 'parts', 'human-models', 'none'] as const
export type DetectorName = (typeof detectorNames)[number]

export interface ToolOptions extends Omit<OpenExtractorOptions, 'detector'> {
  /** Default: `auto`. */
  readonly detector?: DetectorName
  /** The folder of the video model, which may have an extractor for what it makes. */
  readonly model?: string
}

/** The tools that come with the program. */
export function reviseTools({ detector = 'auto', model = '.', ...others }: ToolOptions = {}): ReviseTools {
  const own = join(model, 'extractor')
  return {
    async openExtractor(runtime) {
      if (detector === 'none') return openExtractor(runtime, { ...others, detector: blind })
      const isByParts = detector === 'parts' || (detector === 'auto' && (await isThere(join(own, 'config.json'))))
      if (!isByParts) return openExtractor(runtime, others)
      const network = await openPartExtractor(runtime, own)
      const parts = new PartDetector(picture => seeParts(runtime, network, picture))
      const extractor = await openExtractor(runtime, { ...others, detector: parts })
      return {
        extract: (frames, options) => extractor.extract(frames, options),
        [Symbol.dispose]() {
          extractor[Symbol.dispose]()
          network.dispose()
        },
      }
    },
    drawMasks: (runtime: Runtime, scene) => sceneMasks(runtime, scene),
    drawOverlay,
  }
}

const blind: Detector = { detect: () => Promise.resolve([]) }
