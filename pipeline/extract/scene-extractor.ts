// The extractor: detections, tracks, a camera, depth, then bodies fitted and objects lifted.

import type { Picture } from '../../models/svd/picture.js'
import { labelCount } from '../../models/svd/picture.js'
import { UsageError } from '../../tensor/index.js'
import { sceneLimits } from '../scene/scene-description.js'
import { firstObjectLabel, type Scene, type SceneEntity } from '../scene/scene.js'
import type { Detection, Detector, Keypoint, Track } from './detection.js'
import type { DepthEstimator, ExtractOptions, Extractor, ExtractStep, SceneView } from './extractor.js'
import type { TrackFitter } from './fit/body-fitter.js'
import type { BodyFit } from './fit/fit.js'
import { mostFrames } from './fit/observations.js'
import { cameraOf, entityOf } from './fit/place.js'
import { cameraOfTracks } from './ground.js'
import { metricDepth } from './metric-depth.js'
import { liftTrack } from './objects/lift.js'
import { trackDetections } from './track.js'

const usualFps = 7
// Part labels of objects go from 41 to 63.
const mostObjects = labelCount - firstObjectLabel
const mostBodies = sceneLimits.entities - mostObjects

/** What an extractor is made of. */
export interface ExtractorParts {
  readonly detector: Detector
  /** Without it people and animals are tracked, but not in the scene. */
  readonly fitter?: TrackFitter
  /** Without it depth is told by where things touch the floor, and how large they look. */
  readonly depth?: DepthEstimator
}

/** Makes scenes by detecting in every frame, tracking, and placing in space. */
export class SceneExtractor implements Extractor {
  constructor(private readonly parts: ExtractorParts) {}

  /** Errors: as `Extractor.extract`; and what the parts throw. */
  async extract(frames: readonly Picture[], options: ExtractOptions = {}): Promise<Scene> {
    checkFrames(frames)
    const { fps = usualFps, signal } = options
    const [{ width, height }] = frames
    const told = async <In, Out>(step: ExtractStep, items: readonly In[], work: (item: In) => Promise<Out>) => {
      const results: Out[] = []
      for (const [i, item] of items.entries()) {
        signal?.throwIfAborted()
        results.push(await work(item))
        options.onProgress?.(step, (i + 1) / items.length)
      }
      return results
    }
    const { detector, fitter, depth } = this.parts
    detector.begin?.()
    const found = await told('detect', frames, frame => detector.detect(frame))
    const tracks = trackDetections(frames, found.map(usable))
    options.onProgress?.('track', 1)
    const maps = depth && tracks.length > 0 ? await told('depth', frames, frame => depth.estimate(frame)) : undefined

    // Those that fill most of the video come first.
    const bodies = tracks.filter(({ kind }) => kind !== 'object').slice(0, mostBodies)
    const objects = tracks.filter(({ kind }) => kind === 'object').slice(0, mostObjects)
    const byBoxes = options.camera ?? cameraOfTracks(tracks, { width, height })
    const fits = await told('fit', fitter ? bodies : [], async track => {
      const fit = await fitter!.inCamera(track, { camera: byBoxes, fps })
      return fit && isPlaced(fit) ? fit : undefined
    })
    const fitted = fits.filter(fit => fit !== undefined)
    // Whole bodies tell more of the camera than their boxes.
    const camera = options.camera ?? (fitted.length > 0 ? cameraOf(fitted, byBoxes) : byBoxes)
    const metres = maps && metricDepth(maps, tracks, camera)
    const view: SceneView = { width, height, frames: frames.length, fps, camera, depth: metres }
    const entities = [...bodiesOf(bodies, fits, view), ...objectsOf(objects, view)]
    const there = new Set(entities.map(({ id }) => id))
    const tried = new Set([...bodies, ...objects])
    for (const track of tracks)
      if (!there.has(track.id))
        options.onLeftOut?.(track, tried.has(track) ? 'too little of it is seen' : 'a scene holds no more')
    return {
      width,
      height,
      frames: frames.length,
      fps,
      camera,
      depth: metres ? 'network' : 'ground contact',
      entities,
    }
  }
}

function bodiesOf(
  tracks: readonly Track[],
  fits: readonly (BodyFit | undefined)[],
  { camera }: SceneView,
): SceneEntity[] {
  return fits.flatMap((fit, i) => (fit ? [entityOf(fit, camera, tracks[i])] : []))
}

function objectsOf(tracks: readonly Track[], view: SceneView): SceneEntity[] {
  const lifted = tracks.flatMap((track): Omit<SceneEntity, 'label'>[] => {
    const object = liftTrack(track, view)
    return object ? [{ id: track.id, kind: 'object', name: track.name, ...object }] : []
  })
  return lifted.map((entity, i) => ({ ...entity, label: firstObjectLabel + i }))
}

// Nobody is seen farther away, metres: next to nothing of somebody, or a wild guess, may place them anywhere.
const farthest = 1e4

function isPlaced({ nodes, pose }: BodyFit): boolean {
  return nodes.every(value => Math.abs(value) < farthest) && pose.every(Number.isFinite)
}

/** Detections whose boxes have an inside, of finite numbers, with those keypoints that are somewhere. */
function usable(detections: readonly Detection[]): Detection[] {
  const isSomewhere = ({ x, y, score, place = [0, 0, 0] }: Keypoint) =>
    [x, y, score, ...place].every(value => Math.abs(value) < sceneLimits.largest)
  return detections
    .filter(({ box: { left, top, right, bottom } }) => {
      return [left, top, right, bottom].every(Number.isFinite) && right > left && bottom > top
    })
    .map(detection => ({ ...detection, keypoints: detection.keypoints.filter(isSomewhere) }))
}

function checkFrames(frames: readonly Picture[]): void {
  const [first] = frames
  if (!first || frames.length > mostFrames)
    throw new UsageError({
      where: 'extract',
      what: 'not the frames of a video',
      expected: `1..${mostFrames} pictures`,
      got: String(frames.length),
    })
  const odd = frames.findIndex(({ width, height }) => width !== first.width || height !== first.height)
  if (odd >= 0)
    throw new UsageError({
      where: `frame ${odd}`,
      what: 'not of the size of the first',
      expected: `${first.width} x ${first.height}`,
      got: `${frames[odd].width} x ${frames[odd].height}`,
    })
}
