// The three stages of ReVision joined: a coarse video, its motion in 3D, mended by the motion prior, and the video again
// along that motion. (ReVision, section 3.)

import { openRuntime } from '../../kernels/index.js'
import { baseChannels } from '../../models/svd/latents.js'
import { UsageError } from '../../tensor/index.js'
import type { Configuration } from '../configuration.js'
import type { Picture } from '../media/picture.js'
import type { Scene } from '../scene/scene.js'
import type { ReviseEvent, ReviseOptions, ReviseResult, StageReport } from './events.js'
import { findMotion, savedScene, tryTools } from './motion-stage.js'
import { motionDigest, planRun, type ReviseRun } from './run.js'
import type { ReviseStage } from './settings.js'
import type { StageCost } from './stage-store.js'
import { coarseMasks, makeVideo, sceneMasks } from './video-stage.js'

/**
 * Makes a video in three stages. Iterating does the work; leaving the loop stops it, and what was done by then is gone on
 * with when the same is asked again. The last event holds the result, which is also the generator's return value.
 *
 * @throws UsageError for what cannot be, and a folder of another run; FileError for files that cannot be used; what
 *   `generate` throws; the signal's reason
 */
export async function* revise(options: ReviseOptions): AsyncGenerator<ReviseEvent, ReviseResult, undefined> {
  const { signal, maxMemory } = options
  const runtime = options.runtime ?? (await openRuntime({ maxBytes: maxMemory }))
  try {
    signal?.throwIfAborted()
    const run = await planRun(options, runtime)
    const work = new Work(run)
    await work.look()
    const { settings, coarse, stages } = run
    const where = `${runtime.name} (${runtime.description})`
    yield { type: 'revise', settings, coarse, stages, runtime: where }
    const result = yield* work.run()
    yield { type: 'done', result }
    return result
  } finally {
    if (!options.runtime) await runtime.close()
  }
}

/** The stages of one run, those that are there already and those to come. */
class Work {
  readonly #saved = new Map<ReviseStage, StageCost>()
  readonly #reports: StageReport[] = []

  constructor(private readonly plan: ReviseRun) {}

  /** Finds out what earlier runs left, and refuses the folder of another run before anything is made. */
  async look(): Promise<void> {
    const { store, options, configurations } = this.plan
    // The first stage first: what differs there is only a digest to those after it.
    if (!options.motion) await this.#find('s1', configurations.s1)
    const scene = (await this.#find('s2', configurations.s2)) ? await savedScene(this.plan) : undefined
    const s3 = scene ? this.#lastConfiguration(scene) : configurations.s3
    await this.#find('s3', s3)
    const missing = this.#needed().find(stage => !this.#saved.has(stage) && !this.plan.stages.includes(stage))
    if (missing)
      throw new UsageError({
        where: store.folder(missing),
        what: `${this.plan.stages.join(',')} needs what ${missing} makes, and it is not there`,
        hint: `running ${missing} as well`,
      })
  }

  async *run(): AsyncGenerator<ReviseEvent, ReviseResult, undefined> {
    const { settings, stages, options } = this.plan
    const last = stages.at(-1)!
    let frames: readonly Picture[] = [options.image]
    let scene: Scene | undefined
    if (!options.motion && (this.#isNeeded('s1') || this.#saved.has('s1'))) frames = yield* this.#coarseVideo()
    if (last !== 's1') scene = yield* this.#motion(frames)
    if (scene && last === 's3') frames = yield* this.#finalVideo(scene)
    return { frames, scene, settings, stages: this.#reports }
  }

  /** Stages whose results the wanted ones take, and those themselves. */
  #needed(): ReviseStage[] {
    const { stages, options } = this.plan
    const needs: ReviseStage[] = [...stages]
    if (needs.includes('s3') && !needs.includes('s2')) needs.push('s2')
    // What was seen in the coarse video is all that is needed of it.
    if (needs.includes('s2') && !this.#saved.has('s2') && !options.motion) needs.push('s1')
    return needs
  }

  #isNeeded(stage: ReviseStage): boolean {
    return this.#needed().includes(stage)
  }

  #isToCome(stage: ReviseStage): boolean {
    return this.plan.stages.includes(stage) && !this.#saved.has(stage)
  }

  async #find(stage: ReviseStage, configuration: Configuration): Promise<StageCost | undefined> {
    const cost = await this.plan.store.saved(stage, configuration)
    if (cost) this.#saved.set(stage, cost)
    return cost
  }

  /** That of the last stage, which may be made of a scene that somebody has changed. */
  #lastConfiguration(scene: Scene): Configuration {
    return { ...this.plan.configurations.s3, scene: motionDigest(scene) }
  }

  async *#coarseVideo(): AsyncGenerator<ReviseEvent, readonly Picture[], undefined> {
    const { store, coarse, configurations, options } = this.plan
    const cost = this.#saved.get('s1')
    if (cost) {
      yield this.#end('s1', cost, true)
      return store.frames('s1', coarse.frames)
    }
    if (this.#isToCome('s2')) await tryTools(this.plan)
    yield { type: 'part', part: 's1' }
    if (options.sketch) yield* this.#warnOfMasks()
    const masks = await coarseMasks(this.plan)
    const { frames, ...made } = yield* makeVideo(this.plan, 's1', configurations.s1, { settings: coarse, masks })
    yield this.#end('s1', made, false)
    return frames
  }

  async *#motion(frames: readonly Picture[]): AsyncGenerator<ReviseEvent, Scene, undefined> {
    const cost = this.#saved.get('s2')
    if (cost) {
      yield this.#end('s2', cost, true)
      return savedScene(this.plan)
    }
    yield { type: 'part', part: 's2' }
    const { scene, ...made } = yield* findMotion(this.plan, frames)
    if (scene.entities.length === 0) yield { type: 'notice', message: nothingFound }
    yield this.#end('s2', made, false)
    return scene
  }

  async *#finalVideo(scene: Scene): AsyncGenerator<ReviseEvent, readonly Picture[], undefined> {
    const { store, settings, clips } = this.plan
    const cost = this.#saved.get('s3')
    if (cost) {
      yield this.#end('s3', cost, true)
      return store.frames('s3', settings.frames)
    }
    yield { type: 'part', part: 's3' }
    const masks = await sceneMasks(this.plan, scene)
    if (masks) yield* this.#warnOfMasks()
    const what = { settings, masks, clips }
    const { frames, ...made } = yield* makeVideo(this.plan, 's3', this.#lastConfiguration(scene), what)
    yield this.#end('s3', made, false)
    return frames
  }

  *#warnOfMasks(): Generator<ReviseEvent, void, undefined> {
    const { inChannels } = this.plan.model.unet.config
    if (inChannels === baseChannels) yield { type: 'notice', message: noMotionChannels }
  }

  #end(stage: ReviseStage, cost: StageCost, reused: boolean): ReviseEvent {
    const { seconds, peakBytes } = cost
    const report = { stage, seconds, peakBytes, reused }
    this.#reports.push(report)
    return { type: 'part-end', folder: this.plan.store.folder(stage), ...report }
  }
}

const nothingFound =
  'nobody and nothing that moves was found: the last stage makes the video at full size without a motion'

const noMotionChannels =
  'this model has no input channels for part masks: it is given two of zero weights, and the masks change nothing ' +
  'until it is fine-tuned with them'
