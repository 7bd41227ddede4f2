// Guidance; chunks of two frames and of one: every stage against diffusers.

import t from 'tap'
import { compareStages, pipelineRuntime } from '../support/pipeline.js'

await t.test('wide', async t => compareStages(t, await pipelineRuntime('wasm'), 'wide'))
