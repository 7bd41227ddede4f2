// What the second stage works with, unless somebody brings tools of their own.

import { join } from 'node:path'
import { isThere } from '../../models/checkpoint.js'
import type { Runtime } from '../../tensor/index.js'
import { sceneMasks } from '../control/scene-masks.js'
import type { Detector } from '../extract/detection.js'
import { openExtractor, type OpenExtractorOptions } from '../extract/open-extractor.js'
import { drawOverlay } from '../render/overlay.js'
import type { ReviseTools } from './events.js'

/** What finds people and things; see docs/revise.md. */
export const detectorNames = ['auto', 'parts', 'human-models', 'none'] as const
export type DetectorName = (typeof detectorNames)[number]

export interface ToolOptions extends Pick<OpenExtractorOptions, 'depth' | 'human'> {
  /** Default: `auto`. */
  readonly detector?: DetectorName
  /** The folder of the video model, which may have an extractor for what it makes. */
  readonly model?: string
}

/** The tools that come with the program. */
export function reviseTools({ detector = 'auto', model = '.', depth, human }: ToolOptions = {}): ReviseTools {
  const own = join(model, 'extractor')
  return {
    name: depth === undefined ? `detector ${detector}` : `detector ${detector}, depth by ${depth}`,
    async openExtractor(runtime) {
      const isByParts = detector === 'parts' || (detector === 'auto' && (await isThere(join(own, 'config.json'))))
      return openExtractor(runtime, {
        detector: detector === 'none' ? blind : undefined,
        parts: isByParts ? own : undefined,
        depth,
        human,
      })
    },
    drawMasks: (runtime: Runtime, scene) => sceneMasks(runtime, scene),
    drawOverlay,
  }
}

const blind: Detector = { detect: () => Promise.resolve([]) }
