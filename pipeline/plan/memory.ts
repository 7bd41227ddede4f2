// How the stages of a run go about their memory: as planned, and as thriftily as can be once it has run out.

import { dryTwin } from '../../kernels/dry.js'
import type { ModelFolder, ModelPart } from '../../models/svd/folder.js'
import { OutOfMemoryError, type DType, type Runtime } from '../../tensor/index.js'
import type { StageName } from '../generate.js'
import type { ClipOptions } from '../long/clips.js'
import type { GenerateSettings } from '../settings.js'
import { planVideo } from './plan.js'
import { quick, thrifty, type MemoryPolicy } from './policy.js'

/** What a user may say about memory. The video is the same, to the rounding of f32. */
export interface MemoryOptions {
  /** Bytes of device memory that no stage may exceed. Default: no bound but the device's. */
  maxMemory?: number
  /** Take as little memory as can be, for a little more time. Default: only where maxMemory asks for it. */
  lowMemory?: boolean
}

/** A stage ran out of memory; it begins again, and takes as little as can be from now on. */
export interface FallbackEvent {
  type: 'fallback'
  stage: StageName
}

/** The policy of each stage of a run. */
export class StageMemory {
  readonly #planned: ReadonlyMap<StageName, MemoryPolicy>
  #thrifty: boolean

  private constructor(planned: ReadonlyMap<StageName, MemoryPolicy>, lowMemory: boolean) {
    this.#planned = planned
    this.#thrifty = lowMemory
  }

  /** Plans a run, if it has a bound. Throws as planVideo does, and a FileError for weights that cannot be read. */
  static async plan(
    { unet, vae, imageEncoder }: ModelFolder,
    settings: GenerateSettings,
    runtime: Runtime,
    { maxMemory, lowMemory = false, motion, clips }: MemoryOptions & { motion: boolean; clips?: ClipOptions },
  ): Promise<StageMemory> {
    if (maxMemory === undefined) return new StageMemory(new Map(), lowMemory)
    const configs = { unet: unet.config, vae: vae.config, imageEncoder: imageEncoder.config }
    const dtypes = {
      unet: await weightDTypes(unet),
      vae: await weightDTypes(vae),
      imageEncoder: await weightDTypes(imageEncoder),
    }
    const { stages } = planVideo({
      configs,
      settings,
      open: () => dryTwin(runtime),
      dtypeOf: (network: keyof typeof dtypes, name) => dtypes[network].get(name) ?? 'f32',
      motion,
      clips,
      maxMemory,
      lowMemory,
    })
    return new StageMemory(new Map(stages.map(({ stage, memory }) => [stage, memory])), lowMemory)
  }

  /** Whether all stages take as little as can be, asked for or because memory has run out. */
  get thrifty(): boolean {
    return this.#thrifty
  }

  /** From now on they do. */
  economize(): void {
    this.#thrifty = true
  }

  /** What a stage is to do. */
  of(stage: StageName): MemoryPolicy {
    return this.#thrifty ? thrifty : (this.#planned.get(stage) ?? quick)
  }

  /**
   * Runs a stage. If it runs out of memory it is run once more from its beginning, as thriftily as can be; so are all
   * stages behind it, whose errors are errors then.
   */
  async *run<E, T>(
    stage: StageName,
    work: (memory: MemoryPolicy) => Promise<T> | AsyncGenerator<E, T>,
  ): AsyncGenerator<E | FallbackEvent, T, undefined> {
    try {
      return yield* outcome(work(this.of(stage)))
    } catch (error) {
      if (!(error instanceof OutOfMemoryError) || this.#thrifty) throw error
    }
    this.economize()
    yield { type: 'fallback', stage }
    return yield* outcome(work(thrifty))
  }
}

async function* outcome<E, T>(work: Promise<T> | AsyncGenerator<E, T>): AsyncGenerator<E, T, undefined> {
  return work instanceof Promise ? await work : yield* work
}

/** The float types of a network's weights, by name. */
export async function weightDTypes({ openWeights }: ModelPart<unknown>): Promise<ReadonlyMap<string, DType>> {
  const file = await openWeights()
  try {
    return new Map([...file.tensors].map(([name, { dtype }]) => [name, dtype]))
  } finally {
    await file.close()
  }
}
