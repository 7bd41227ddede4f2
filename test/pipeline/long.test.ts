// Long videos: how they are cut, and that nobody sees where.

import t from 'tap'
import { UNetSpatioTemporalConditionModel } from '../../models/index.js'
import { denoise, type DenoiseInputs } from '../../pipeline/denoise.js'
import { planClips, type ClipOptions } from '../../pipeline/long/clips.js'
import { quick } from '../../pipeline/plan/policy.js'
import { completeSettings } from '../../pipeline/settings.js'
import { Generator, Tensor } from '../../tensor/index.js'
import { pipelineRuntime } from '../support/pipeline.js'
import { checkpoint, motionConfig } from '../support/unet.js'

void t.test('a video is cut into as few clips as can be, evenly', t => {
  const lengths: [frames: number, options: ClipOptions | undefined, expected: number[][]][] = [
    [10, undefined, [[0, 10]]],
    [8, { frames: 8 }, [[0, 8]]],
    [
      9,
      { frames: 8 },
      [
        [0, 8],
        [1, 9],
      ],
    ],
    [
      14,
      { frames: 8 },
      [
        [0, 8],
        [6, 14],
      ],
    ],
    [
      16,
      { frames: 8, overlap: 0 },
      [
        [0, 8],
        [8, 16],
      ],
    ],
  ]
  for (const [frames, options, expected] of lengths)
    t.same(
      planClips(frames, options).map(({ first, end }) => [first, end]),
      expected,
    )
  const clips = planClips(128, { frames: 25 })
  t.equal(clips.length, 7)
  t.equal(clips.at(-1)?.end, 128)
  for (const [i, { first }] of clips.slice(1).entries()) t.ok(clips[i].end - first >= 7, 'they share a quarter or more')
  for (const bad of [{ frames: 0 }, { frames: 2.5 }, { frames: 4, overlap: 4 }, { frames: 4, overlap: -1 }])
    t.throws(() => planClips(9, bad), /clips: no such clips; expected a whole number of frames, and fewer of them/)
  t.end()
})

// Every frame begins with the same noise and is told the same, so that what differs between frames is made by the cuts
// and by the places of frames in their clips.
const [frames, length, area] = [24, 8, 64]
const settings = completeSettings(
  { width: 64, height: 64, frames, steps: 2 },
  { unet: motionConfig, vae: { blockOutChannels: [32, 32, 32, 32] } },
)

/** How far the latents of neighbouring frames lie apart, root mean square: one number a pair of frames. */
function stepsOf(latents: Float32Array): number[] {
  const size = 4 * area
  return Array.from({ length: frames - 1 }, (_, i) => {
    const [a, b] = [i, i + 1].map(frame => latents.subarray(frame * size, (frame + 1) * size))
    return Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0) / size)
  })
}

void t.test('a seam between clips is no worse than any step from frame to frame', async t => {
  const runtime = await pipelineRuntime('wasm')
  using unet = await UNetSpatioTemporalConditionModel.load(runtime, checkpoint, motionConfig)
  const random = new Generator(1)
  using embeddings = Tensor.from(runtime, random.randn(32), [1, 1, 32])
  using pictureLatents = Tensor.from(runtime, random.randn(4 * area), [1, 4, 8, 8])
  const still = random.randn(4 * area)
  const mask = random.rand(2 * area)
  const repeat = (one: Float32Array) =>
    Float32Array.from({ length: frames * one.length }, (_, i) => one[i % one.length])
  const inputs: DenoiseInputs = {
    embeddings,
    pictureLatents,
    condition: repeat(mask),
    scheduler: { sigmaMin: 0.002, sigmaMax: 700 },
    noise: repeat(still),
  }
  const lastOf = async (clips?: ClipOptions, replay = true) => {
    let last: Float32Array = new Float32Array()
    const memory = { ...quick, replay }
    for (const { sample } of denoise(unet, { ...inputs, clips }, settings, undefined, memory))
      last = await sample.floats()
    return last
  }
  const before = runtime.statistics().live
  const blended = await lastOf({ frames: length })
  const oneByOne = await lastOf({ frames: length }, false)
  t.same(blended, oneByOne, 'replayed steps compute what steps one by one compute')
  t.equal(runtime.statistics().live, before, 'nothing is left in memory')
  const isSeam = (overlap: number) => {
    const clips = planClips(frames, { frames: length, overlap })
    const places = clips.slice(1).flatMap(({ first }, i) => [first - 1, clips[i].end - 1])
    return (pair: number) => places.includes(pair)
  }
  const worst = (steps: number[], choose: (pair: number) => boolean) =>
    Math.max(...steps.filter((_, pair) => choose(pair)))
  const steps = stepsOf(blended)
  const [seam, ordinary] = [worst(steps, isSeam(2)), worst(steps, pair => !isSeam(2)(pair))]
  const hard = stepsOf(await lastOf({ frames: length, overlap: 0 }))
  const cut = worst(hard, isSeam(0))
  t.comment(`seam ${seam.toFixed(4)}, ordinary step ${ordinary.toFixed(4)}, hard cut ${cut.toFixed(4)}`)
  t.ok(seam <= ordinary, `seam ${seam}, ordinary step ${ordinary}`)
  t.ok(seam < cut, `a hard cut is ${cut}`)
})
