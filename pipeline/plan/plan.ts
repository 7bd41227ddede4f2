// What a video takes, before anything is loaded: each stage is rehearsed on a runtime that plans as the real one does
// but has no memory. So the peaks are those that a run shows, whatever the size.

import type { DryRuntime } from '../../kernels/dry.js'
import type { CLIPVisionConfig } from '../../models/clip/config.js'
import type { UNetConfig } from '../../models/svd/config.js'
import { baseChannels, conditionChannels } from '../../models/svd/latents.js'
import type { VaeConfig } from '../../models/svd/vae-config.js'
import { rehearse, type Weights } from '../../nn/index.js'
import { OutOfMemoryError, UsageError, type DType } from '../../tensor/index.js'
import type { StageName } from '../generate.js'
import type { ClipOptions } from '../long/clips.js'
import type { GenerateSettings } from '../settings.js'
import { policies, thrifty, type MemoryPolicy } from './policy.js'
import {
  imageEncoderRehearsal,
  unetRehearsal,
  vaeDecoderRehearsal,
  vaeEncoderRehearsal,
  type Rehearsal,
} from './rehearsals.js'

/** The networks of a model. */
export interface NetworkConfigs {
  readonly unet: UNetConfig
  readonly vae: VaeConfig
  readonly imageEncoder: CLIPVisionConfig
}

/** What to plan, and for which runtime. */
export interface PlanOptions {
  configs: NetworkConfigs
  settings: GenerateSettings
  /** Opens a runtime to rehearse on: `openDry` or `dryTwin`. */
  open: () => DryRuntime
  /** The float type that a network's file holds a weight in. */
  dtypeOf: (network: keyof NetworkConfigs, name: string) => DType
  /** With a motion condition. Default: false. */
  motion?: boolean
  /** How a video is cut that is longer than the UNet can see. Default: not at all. */
  clips?: ClipOptions
  /** Bytes that no stage may exceed. Default: no bound. */
  maxMemory?: number
  /** Take as little memory as can be. Default: only where maxMemory asks for it. */
  lowMemory?: boolean
}

/** What one stage takes. */
export interface StagePlan {
  readonly stage: StageName
  readonly memory: MemoryPolicy
  /** Device memory at the most, weights included. */
  readonly peakBytes: number
  readonly weightBytes: number
  /** Floating-point operations; a multiply-add counts two. */
  readonly flops: number
}

/** What a video takes. */
export interface VideoPlan {
  readonly stages: readonly StagePlan[]
  /** That of the stage which takes most: one network is in memory at a time. */
  readonly peakBytes: number
  readonly flops: number
}

/**
 * Plans a video: for each stage the quickest way that fits into `maxMemory`. Takes some seconds for a large video, and
 * touches neither weights nor a GPU. Throws a UsageError that tells what is needed if nothing fits.
 */
export function planVideo(options: PlanOptions): VideoPlan {
  const { configs, settings, motion = false, clips } = options
  const { unet, vae, imageEncoder } = configs
  const wide = motion ? { ...unet, inChannels: baseChannels + conditionChannels } : unet
  const stages = [
    planStage('image encoder', 'imageEncoder', imageEncoderRehearsal(imageEncoder), options),
    planStage('vae encoder', 'vae', vaeEncoderRehearsal(vae, settings), options),
    planStage('unet', 'unet', unetRehearsal(wide, vae, settings, motion, clips), options),
    planStage('vae decoder', 'vae', vaeDecoderRehearsal(vae, settings), options),
  ]
  return {
    stages,
    peakBytes: Math.max(...stages.map(({ peakBytes }) => peakBytes)),
    flops: stages.reduce((sum, { flops }) => sum + flops, 0),
  }
}

// What makes a stage take less.
const remedies: Readonly<Record<StageName, string>> = {
  'image encoder': 'more memory: what it takes does not depend on the video',
  'vae encoder': 'a smaller picture',
  unet: 'fewer frames or a smaller picture',
  'vae decoder': 'a smaller picture or fewer frames decoded together',
}

function planStage<M extends { readonly weights: Weights }>(
  stage: StageName,
  network: keyof NetworkConfigs,
  rehearsal: Rehearsal<M>,
  { open, dtypeOf, maxMemory = Infinity, lowMemory = false }: PlanOptions,
): StagePlan {
  const measure = (memory: MemoryPolicy): StagePlan => {
    const dry = open()
    let [weightBytes, flops] = [0, 0]
    const options = {
      dtypeOf: ({ name }: { name: string }) => dtypeOf(network, name),
      only: rehearsal.only,
      chunkBytes: memory.chunkBytes,
    }
    rehearse(dry, rehearsal.build(), options, model => {
      weightBytes = dry.statistics().live
      let before = dry.flops
      for (const times of rehearsal.play(model, dry, memory)) {
        flops += times * (dry.flops - before)
        before = dry.flops
      }
    })
    return { stage, memory, peakBytes: dry.statistics().peak, weightBytes, flops }
  }
  let least: StagePlan | undefined
  let refused: OutOfMemoryError | undefined
  for (const memory of lowMemory ? [thrifty] : policies) {
    try {
      least = measure(memory)
      if (least.peakBytes <= maxMemory) return least
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error
      refused = error
    }
  }
  throw new UsageError(
    {
      where: 'memory',
      what: `the ${stage} does not fit`,
      expected: least ? `at least ${least.peakBytes} bytes` : 'no more than such a runtime has',
      got: least ? String(maxMemory) : `a buffer of ${refused?.asked} bytes too many`,
      hint: remedies[stage],
    },
    { cause: refused },
  )
}
