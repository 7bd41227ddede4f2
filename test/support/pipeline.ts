// What tests of the whole pipeline share: the tiny model, a run to its end, and diffusers' own runs to compare with.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { generate, type GenerateEvent, type GenerateOptions, type GenerateResult } from '../../pipeline/generate.js'
import { comparePipelineRun, readPipelineCase, runPipelineCase } from '../../pipeline/verify/svd-pipeline.js'
import type { Runtime, RuntimeName } from '../../tensor/index.js'
import { makeTinyModel } from './model.js'
import { assertOutcomes, goldenFolder } from './verify.js'

/** A model folder of this test file's own. */
export const model = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(model, { recursive: true }))
await makeTinyModel(model)

/** A runtime for whole runs. Not poisoned, as in the tests of the kernels: that would double the time. */
export async function pipelineRuntime(name: RuntimeName): Promise<Runtime> {
  const runtime = await openRuntime({
    runtime: name,
    adapter: process.env.REVISION_ADAPTER ? undefined : 'swiftshader',
  })
  t.teardown(() => runtime.close())
  return runtime
}

/** Runs to the end; gives the events as well. */
export async function run(options: GenerateOptions): Promise<{ events: GenerateEvent[]; result: GenerateResult }> {
  const events: GenerateEvent[] = []
  const run = generate(options)
  for (let next = await run.next(); ; next = await run.next()) {
    if (next.done) return { events, result: next.value }
    events.push(next.value)
  }
}

/**
 * Runs a case of svd-pipeline-tiny and compares every stage with diffusers' StableVideoDiffusionPipeline
 * (test/golden/README.md; commit 58eb52c, torch 2.6 on the CPU in f32, tiny random weights rounded to f16).
 */
export async function compareStages(t: Test, runtime: Runtime, name: string): Promise<void> {
  const folder = await goldenFolder('svd-pipeline-tiny')
  const file = await folder.open(name)
  t.teardown(() => file.close())
  const item = await readPipelineCase(folder, name)
  const outcome = await runPipelineCase(item, runtime, file)
  await assertOutcomes(t, comparePipelineRun(name, item, outcome, file))

  const { events, result } = outcome
  const { steps, frames, decodeChunk } = item.settings
  const kinds = events.map(event => ('stage' in event ? `${event.type} ${event.stage}` : event.type))
  t.same(kinds, [
    'start',
    ...['image encoder', 'vae encoder'].flatMap(stage => [`stage ${stage}`, `stage-end ${stage}`]),
    ...['stage unet', ...new Array<string>(steps).fill('step'), 'stage-end unet'],
    'stage vae decoder',
    ...new Array<string>(Math.ceil(frames / decodeChunk)).fill('frames'),
    'stage-end vae decoder',
    'done',
  ])
  for (const [stage, bytes] of Object.entries(result.peakBytes)) t.ok(bytes > 0, `${stage}: peak of ${bytes} bytes`)
  t.equal(runtime.statistics().live, 0, 'nothing is left in memory')
}
