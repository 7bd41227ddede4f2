// Guidance; two whole chunks: every stage against diffusers.

import t from 'tap'
import { compareStages, pipelineRuntime } from '../support/pipeline.js'

await t.test('square', async t => compareStages(t, await pipelineRuntime('wasm'), 'square'))
