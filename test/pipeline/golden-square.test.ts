// Guidance; two whole chunks: every stage against diffusers.

import t from 'tap'
import { compareStages, pipelineRuntime } from '../support/pipeline.js'

for (const name of ['webgpu', 'reference'] as const)
  await t.test(name, async t => compareStages(t, await pipelineRuntime(name), 'square'))
