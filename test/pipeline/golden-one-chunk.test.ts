// All frames decoded at once, against diffusers: the decoder's temporal layers see the frames of a chunk alone, so that
// the size of the chunks is seen in the frames.

import t from 'tap'
import { compareAbsolutely, readNumbers } from '../../pipeline/verify/outcome.js'
import { readPipelineCase, verifyOneChunk } from '../../pipeline/verify/svd-pipeline.js'
import { pipelineRuntime } from '../support/pipeline.js'
import { assertOutcomes, goldenFolder } from '../support/verify.js'

await t.test('frames of one chunk are those that diffusers decodes in one chunk', async t => {
  const folder = await goldenFolder('svd-pipeline-tiny')
  const file = await folder.open('square')
  t.teardown(() => file.close())
  const item = await readPipelineCase(folder, 'square')
  const [outcome] = await assertOutcomes(t, await verifyOneChunk('square', item, await pipelineRuntime('wasm'), file))

  // The golden file has the two frames in the middle, [2,H,W,3] in 0..1.
  const { data: inOne } = await readNumbers(file, 'frames_one_chunk')
  const { data: inTwo } = await readNumbers(file, 'frames_chunked')
  const size = inOne.length / 2
  const { error } = compareAbsolutely('', '', inTwo.subarray(size, 3 * size), inOne, 0)
  t.ok(error > 3 * outcome.tolerance, `in chunks of two frames they are others: ${error} off`)
})
