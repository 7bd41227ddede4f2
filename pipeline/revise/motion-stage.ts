// The second stage: who and what the coarse video shows, how it moves in 3D, and how it should.

import { PromptEncoder } from '../../models/clip/prompt.js'
import { openPPPM } from '../../models/pppm/open.js'
import type { PPPM } from '../../models/pppm/pppm.js'
import { tellText } from '../../models/pppm/text.js'
import { resizeLanczos } from '../../models/svd/resize.js'
import type { Runtime, Tensor } from '../../tensor/index.js'
import { targetPoseOf } from '../control/target-pose.js'
import { writePng } from '../media/encode.js'
import type { OutputFolder } from '../media/output.js'
import type { LabelMap, Picture } from '../media/picture.js'
import { contactSheet } from '../media/sheet.js'
import { readSceneFile, writeSceneFile } from '../scene/scene-file.js'
import type { Scene } from '../scene/scene.js'
import type { Prompt, ReviseEvent } from './events.js'
import { sceneOfGiven } from './given.js'
import { mendScene } from './mend.js'
import type { Prior } from './prior.js'
import type { ReviseRun } from './run.js'
import { aimScene } from './target.js'
import { firstLabels } from './video-stage.js'
import type { StageCost } from './stage-store.js'

/** A scene, and what it took. */
export interface MotionOutcome extends StageCost {
  readonly scene: Scene
}

/** The scene that an earlier run left. Throws a FileError for one that cannot be read. */
export function savedScene({ store }: ReviseRun): Promise<Scene> {
  return readSceneFile(store.folder('s2'))
}

/**
 * Finds the motion of a video and keeps it.
 *
 * @param frames the coarse video; the picture alone where the motion is given
 */
export async function* findMotion(
  run: ReviseRun,
  frames: readonly Picture[],
): AsyncGenerator<ReviseEvent, MotionOutcome, undefined> {
  const { options, runtime, settings, shown, store, configurations } = run
  const { signal, tools, motion, image, sketch } = options
  const { width, height, fps } = settings
  const begun = performance.now()
  runtime.resetPeak()
  // Everything is seen at the size of the final video, and the first frame is the picture itself.
  const large = [image, ...frames.slice(1)].map(frame => resizeLanczos(frame, width, height))
  const rate = large.length > 1 ? (fps * (large.length - 1)) / (shown - 1) : fps
  const seen = await see(run, large, rate)
  signal?.throwIfAborted()
  const entities = seen.entities.map(({ id, kind, name, confidence }) => ({
    id,
    kind,
    name,
    seen: confidence.filter(value => value > 0).length,
  }))
  yield { type: 'seen', frames: seen.frames, entities, depth: seen.depth }

  let start = motion ? sceneOfGiven(motion, seen, settings) : seen
  if (sketch && start.entities.length > 0) {
    const targets = targetPoseOf(sketch, start, await firstLabels(tools, runtime, start))
    const { scene: aimed, ...aim } = aimScene(start, targets)
    yield { type: 'target', ...aim }
    start = aimed
  }
  // Where nobody is there is nobody to mend.
  using opened = start.entities.length > 0 ? await openPrior(run) : noPrior
  const goal = { frames: settings.frames, fps, shown, targeted: sketch !== undefined, given: motion !== undefined }
  const scene = await mendScene(start, { ...goal, prior: opened.prior })
  signal?.throwIfAborted()
  const overlays = scene.entities.length > 0 ? await overlaysOf(run, scene, large) : []
  const cost = { seconds: (performance.now() - begun) / 1000, peakBytes: runtime.statistics().peak }
  await store.write('s2', { configuration: configurations.s2, ...cost }, async output => {
    await writeSceneFile(output.file('seen.json'), seen)
    await writeSceneFile(output.file('scene.json'), scene)
    await writeOverlays(output, overlays)
  })
  return { scene, ...cost }
}

/** Opens what the stage works with and lets go of it. Throws what is wrong with it, before a video is made for nothing. */
export async function tryTools(run: ReviseRun): Promise<void> {
  const extractor = await run.options.tools.openExtractor(run.runtime)
  extractor[Symbol.dispose]()
  const prior = await openPrior(run)
  prior[Symbol.dispose]()
}

/** What pictures show; the extractor's networks are gone before the prior's are loaded. */
async function see({ options, runtime }: ReviseRun, frames: readonly Picture[], fps: number): Promise<Scene> {
  const { tools, signal, onExtract } = options
  using extractor = await tools.openExtractor(runtime)
  return await extractor.extract(frames, { fps, signal, onProgress: onExtract })
}

type OpenedPrior = Disposable & { readonly prior?: Prior }
const noPrior: OpenedPrior = { [Symbol.dispose]: () => undefined }

/** The prior, if there is one. */
async function openPrior({ options, runtime }: ReviseRun): Promise<OpenedPrior> {
  const { pppm, strength, prompt } = options
  if (pppm === undefined) return noPrior
  const { model } = await openPPPM(runtime, pppm)
  try {
    const text = prompt && (await tokensOf(runtime, model, prompt))
    const dispose = () => {
      model.dispose()
      text?.dispose()
    }
    return { prior: { runtime, model, strength, text }, [Symbol.dispose]: dispose }
  } catch (error) {
    model.dispose()
    throw error
  }
}

async function tokensOf(runtime: Runtime, model: PPPM, { text, encoder: folder }: Prompt): Promise<Tensor> {
  using encoder = await PromptEncoder.open(runtime, folder)
  return tellText(model, encoder, text)
}

/** The parts that the mended motion has, over the frames that it was seen in. */
async function overlaysOf(
  { options: { tools }, runtime, settings, shown }: ReviseRun,
  scene: Scene,
  frames: readonly Picture[],
): Promise<Picture[]> {
  const maps: LabelMap[] = []
  for await (const { labels } of tools.drawMasks(runtime, scene)) maps.push(labels)
  // Of a given motion all frames are drawn, over the picture.
  if (frames.length === 1) return maps.map(labels => tools.drawOverlay(frames[0], labels))
  const place = (i: number) => Math.round((i * (Math.min(shown, settings.frames) - 1)) / (frames.length - 1))
  return frames.map((frame, i) => tools.drawOverlay(frame, maps[place(i)]))
}

async function writeOverlays(output: OutputFolder, overlays: readonly Picture[]): Promise<void> {
  if (overlays.length === 0) return
  await writePng(output.file('overlays.png'), contactSheet(overlays))
  for (const [i, overlay] of overlays.entries())
    await writePng(output.file(`overlay_${String(i).padStart(4, '0')}.png`), overlay)
}
