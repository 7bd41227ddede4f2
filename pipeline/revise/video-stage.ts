// The first and the last stage: a video by the diffusion model, kept in the stage's folder.

import type { PartMask } from '../../models/svd/motion-condition.js'
import { resizeLanczos } from '../../models/svd/resize.js'
import type { Runtime } from '../../tensor/index.js'
import type { Sketch } from '../control/sketch.js'
import { objectLabels, targetMask, type SketchGround } from '../control/target-pose.js'
import { generate, type GenerateEvent, type GenerateOptions } from '../generate.js'
import type { LabelMap, Picture } from '../media/picture.js'
import { defaultFormats, writeResults } from '../results.js'
import type { Scene } from '../scene/scene.js'
import type { Configuration } from '../configuration.js'
import type { ReviseTools } from './events.js'
import type { ReviseRun } from './run.js'
import type { StageCost } from './stage-store.js'

/** The event of a video that is being made. */
export type VideoEvent = Exclude<GenerateEvent, { type: 'done' }>

/** A video, and what it took. */
export interface VideoOutcome extends StageCost {
  readonly frames: Picture[]
}

/** Makes a stage's video and keeps it. A run that was stopped goes on after the last step it had done. */
export async function* makeVideo(
  { model, runtime, store, options }: ReviseRun,
  stage: 's1' | 's3',
  configuration: Configuration,
  what: Pick<GenerateOptions, 'masks' | 'clips'> & Pick<ReviseRun, 'settings'>,
): AsyncGenerator<VideoEvent, VideoOutcome, undefined> {
  const { image, signal, onLoad, maxMemory, lowMemory } = options
  const { settings, masks, clips } = what
  const video = { ...settings, model, image, masks, clips }
  const checkpoint = { path: store.checkpoint(stage) }
  const begun = performance.now()
  let outcome: VideoOutcome | undefined
  for await (const event of generate({ ...video, runtime, signal, onLoad, maxMemory, lowMemory, checkpoint })) {
    if (event.type !== 'done') {
      yield event
      continue
    }
    const { result } = event
    const seconds = (performance.now() - begun) / 1000
    const cost = { seconds, peakBytes: Math.max(...Object.values(result.peakBytes)) }
    const origin = { model: model.path, runtime: runtime.description }
    // Before the loop goes on, which removes the checkpoint.
    await store.write(stage, { configuration, ...cost }, output =>
      writeResults(output, result, origin, defaultFormats, signal),
    )
    outcome = { frames: result.frames, ...cost }
  }
  return outcome!
}

/** What the sketch says of the coarse video: of its last frame. */
export async function coarseMasks(run: ReviseRun): Promise<(PartMask | undefined)[] | undefined> {
  const { options, coarse } = run
  const { sketch } = options
  if (!sketch) return undefined
  const { frames } = coarse
  const mask = targetMask(sketch, coarse, await groundOf(run, sketch))
  return Array.from({ length: frames }, (_, frame) => (frame === frames - 1 ? mask : undefined))
}

/** What the picture shows, where a sketch speaks of it. */
async function groundOf({ options, runtime, settings }: ReviseRun, { shapes }: Sketch): Promise<SketchGround> {
  if (!shapes.some(({ type, part }) => type === 'drag' || (part && 'object' in part))) return {}
  const { tools, image, signal } = options
  const { width, height, fps } = settings
  using extractor = await tools.openExtractor(runtime)
  const scene = await extractor.extract([resizeLanczos(image, width, height)], { fps, signal })
  return { first: await firstLabels(tools, runtime, scene), objects: objectLabels(scene) }
}

/** The part labels of a scene's first frame. */
export async function firstLabels(tools: ReviseTools, runtime: Runtime, scene: Scene): Promise<LabelMap | undefined> {
  for await (const { labels } of tools.drawMasks(runtime, scene)) return labels
  return undefined
}

/** Part masks of every frame; none where nobody moves. */
export async function sceneMasks({ options, runtime }: ReviseRun, scene: Scene): Promise<PartMask[] | undefined> {
  if (scene.entities.length === 0) return undefined
  const masks: PartMask[] = []
  for await (const { labels, confidence } of options.tools.drawMasks(runtime, scene)) masks.push({ labels, confidence })
  return masks
}
