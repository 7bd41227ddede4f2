// How well a PPPM mends motions it has never seen, beside what classical filters do to them.

import { numbersOf, type EntityMotion } from '../../models/pppm/encoding.js'
import type { PPPM } from '../../models/pppm/pppm.js'
import { refineScene } from '../../models/pppm/refine.js'
import { motionStrength } from '../../models/pppm/strength.js'
import { Generator, type Runtime } from '../../tensor/index.js'
import type { Motion } from '../motion/motion.js'
import { clipOf } from './clips.js'
import { compareMotions, metricNames, type MotionMetrics } from './metrics.js'
import { perturb, randomWays, type Broken, type Perturbation } from './perturb.js'
import { classicalFilters, fillGaps, filterMotion, type Filter } from './smoothing.js'

/** What is done to motions before they are mended. */
export const evaluationCases = ['clean', 'noise', 'shuffle', 'drop', 'mask', 'mixture'] as const
export type EvaluationCase = (typeof evaluationCases)[number]

/** Metrics of one way of mending, over all clips of a case. */
export interface EvaluationRow {
  readonly case: EvaluationCase
  /** `input` is the broken motion as it is. */
  readonly method: string
  readonly clips: number
  readonly metrics: MotionMetrics
}

export interface EvaluateOptions {
  /** Motions to test on, and those that the settings of classical filters are tuned on. */
  readonly test: readonly Motion[]
  readonly train: readonly Motion[]
  /** Frames of a clip, and clips of a case. */
  readonly frames: number
  readonly clips: number
  readonly seed: number
  readonly progress?: (done: number, total: number) => void
}

interface Sample {
  readonly clean: EntityMotion
  readonly broken: Broken
}

/** Broken clips of a case: the same for the same seed. */
function samples(takes: readonly Motion[], name: EvaluationCase, options: EvaluateOptions, seed: number): Sample[] {
  const { frames, clips } = options
  const random = new Generator(seed)
  const long = takes.filter(take => take.frames >= frames)
  if (long.length === 0) return []
  return Array.from({ length: clips }, (_, i) => {
    const take = long[i % long.length]
    const clean = clipOf(take, random.randint(0, take.frames - frames + 1, 1)[0], frames)
    const known = new Float32Array(frames)
    known[0] = 1
    const ways: readonly Perturbation[] = name === 'clean' ? [] : name === 'mixture' ? randomWays(random) : [name]
    return { clean, broken: perturb(clean, ways, random, known) }
  })
}

/** The best of the classical filters' settings by name, for motions broken as in a case: tuned on the training set. */
function tunedFilters(options: EvaluateOptions, name: EvaluationCase): Map<string, Filter> {
  const tuning = samples(options.train, name, { ...options, clips: Math.min(options.clips, 24) }, options.seed + 1)
  const score = (filter: Filter) =>
    tuning.reduce(
      (sum, { clean, broken }) => sum + compareMotions(classical(broken, filter).numbers, clean.numbers).mpjpe,
      0,
    )
  return new Map(
    Object.entries(classicalFilters).map(([method, filters]) => {
      const scores = filters.map(score)
      return [method, filters[scores.indexOf(Math.min(...scores))]]
    }),
  )
}

/** Gaps filled, then filtered; known frames as they are. */
function classical({ entity, known, confidence }: Broken, filter: Filter): EntityMotion {
  const filled = fillGaps(entity, confidence)
  const { kind, numbers } = filterMotion(filled, filter)
  const width = numbersOf(kind)
  for (const [frame, isKnown] of known.entries())
    if (isKnown) numbers.set(entity.numbers.subarray(frame * width, (frame + 1) * width), frame * width)
  return { kind, numbers }
}

/** Mends broken clips of held-out motions in every way there is, and compares. */
export async function evaluatePPPM(runtime: Runtime, model: PPPM, options: EvaluateOptions): Promise<EvaluationRow[]> {
  const rows: EvaluationRow[] = []
  const total = evaluationCases.length
  for (const [i, name] of evaluationCases.entries()) {
    options.progress?.(i, total)
    const clips = samples(options.test, name, options, options.seed)
    const methods: [string, (sample: Sample) => EntityMotion | Promise<EntityMotion>][] = [
      ['input', ({ broken }) => broken.entity],
      ['slerp', ({ broken }) => fillGaps(broken.entity, broken.confidence)],
      ...[...tunedFilters(options, name)].map(([method, filter]): (typeof methods)[number] => [
        method,
        ({ broken }) => classical(broken, filter),
      ]),
      [
        'pppm',
        async ({ clean, broken: { entity, known, confidence } }) => {
          const options = { known, confidence: [confidence], strength: motionStrength(clean) }
          return (await refineScene(runtime, model, [entity], options))[0]
        },
      ],
    ]
    for (const [method, mend] of methods) {
      const found: MotionMetrics[] = []
      for (const sample of clips) found.push(compareMotions((await mend(sample)).numbers, sample.clean.numbers))
      rows.push({ case: name, method, clips: clips.length, metrics: meanOf(found) })
    }
  }
  options.progress?.(total, total)
  return rows
}

function meanOf(all: readonly MotionMetrics[]): MotionMetrics {
  const mean = (name: keyof MotionMetrics) => all.reduce((sum, metrics) => sum + metrics[name], 0) / all.length
  return Object.fromEntries(metricNames.map(name => [name, mean(name)])) as unknown as MotionMetrics
}
