// The first and the last stage: a video by the diffusion model, kept in the stage's folder.

import type { PartMask } from '../../models/svd/motion-condition.js'
import { generate, type GenerateEvent, type GenerateOptions } from '../generate.js'
import type { Picture } from '../media/picture.js'
import { defaultFormats, writeResults } from '../results.js'
import type { Scene } from '../scene/scene.js'
import type { Configuration } from '../configuration.js'
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

/** What the target pose says of the coarse video: of its last frame. */
export function coarseMasks({ options: { target }, coarse }: ReviseRun): (PartMask | undefined)[] | undefined {
  if (!target) return undefined
  const { frames, width, height } = coarse
  return Array.from({ length: frames }, (_, frame) => (frame === frames - 1 ? target.mask(width, height) : undefined))
}

/** Part masks of every frame; none where nobody moves. */
export async function sceneMasks({ options, runtime }: ReviseRun, scene: Scene): Promise<PartMask[] | undefined> {
  if (scene.entities.length === 0) return undefined
  const masks: PartMask[] = []
  for await (const { labels, confidence } of options.tools.drawMasks(runtime, scene)) masks.push({ labels, confidence })
  return masks
}
