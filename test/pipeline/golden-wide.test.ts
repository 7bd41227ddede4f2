// Guidance; chunks of two frames and of one: every stage against diffusers.

import t from 'tap'
import { compareStages, pipelineRuntime } from '../support/pipeline.js'

for (const name of ['webgpu', 'reference'] as const)
  await t.test(name, async t => compareStages(t, await pipelineRuntime(name), 'wide'))
