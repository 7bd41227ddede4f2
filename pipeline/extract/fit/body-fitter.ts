// Tracks of people and animals as bodies that move.

import type { BodyData } from '../../../models/body/body-data.js'
import { openHuman } from '../../../models/body/open-human.js'
import { openQuadruped } from '../../../models/body/open-quadruped.js'
import type { Runtime } from '../../../tensor/index.js'
import type { Track } from '../detection.js'
import type { BodyFitter, FittedBody, SceneView } from '../extractor.js'
import { figureOf, type Figure } from './figure.js'
import { fitBody, type BodyFit } from './fit.js'
import { fitGirth } from './girth.js'
import { seenIn } from './names.js'
import { entityOf } from './place.js'

export interface TrackFitterOptions {
  /** A body with SMPL-X's joints. Default: the open one. */
  readonly human?: BodyData
  /** A body with SMAL's joints. Default: the open one. */
  readonly animal?: BodyData
  /** Steps of the descent. */
  readonly steps?: number
}

// Fewer points in all tell of no body.
const leastPoints = 6

/** Fits bodies to the keypoints of tracks. */
export class TrackFitter implements BodyFitter {
  readonly #figures = new Map<Track['kind'], Figure>()

  constructor(
    private readonly runtime: Runtime,
    private readonly options: TrackFitterOptions = {},
  ) {}

  async fit(track: Track, view: SceneView): Promise<FittedBody | undefined> {
    const fit = await this.inCamera(track, view)
    return fit && entityOf(fit, view.camera, track)
  }

  /** The same in the camera's axes, of which only the lens is looked at: for who finds the camera by the bodies. */
  async inCamera(
    track: Track,
    { camera, fps }: Pick<SceneView, 'fps'> & { readonly camera: Pick<SceneView['camera'], 'focal' | 'centre'> },
  ): Promise<BodyFit | undefined> {
    const figure = this.#figure(track.kind)
    if (!figure) return undefined
    const seen = track.detections.map(seenIn)
    const points = Math.max(...seen.map(frame => figure.names.filter(name => frame[name]?.confidence > 0).length))
    if (points < leastPoints) return undefined
    const guesses = track.detections.map(detection => detection?.pose)
    const options = { lens: camera, fps, guesses, steps: this.options.steps }
    const fit = await fitBody(this.runtime, figure, seen, options)
    const masks = track.detections.map(detection => detection?.mask)
    return fitGirth(this.runtime, fit, masks, camera)
  }

  #figure(kind: Track['kind']): Figure | undefined {
    if (kind === 'object') return undefined
    const { human, animal } = this.options
    const known = this.#figures.get(kind)
    if (known) return known
    const figure = figureOf(kind === 'human' ? (human ?? openHuman()) : (animal ?? openQuadruped()))
    this.#figures.set(kind, figure)
    return figure
  }
}
