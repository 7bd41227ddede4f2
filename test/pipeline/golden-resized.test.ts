// No guidance; a picture of another size: every stage against diffusers.

import t from 'tap'
import { compareStages, pipelineRuntime } from '../support/pipeline.js'

for (const name of ['wasm', 'webgpu'] as const)
  await t.test(name, async t => compareStages(t, await pipelineRuntime(name), 'nocfg_resized'))
