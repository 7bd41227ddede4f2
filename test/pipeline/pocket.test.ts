// `revision eval pocket`, on a tiny model of random weights.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openRuntime } from '../../kernels/index.js'
import { parsePartExtractorConfig } from '../../models/extractor/config.js'
import { PartExtractor } from '../../models/extractor/extractor.js'
import { initializeWeights } from '../../nn/index.js'
import { runCli } from '../../pipeline/cli/program.js'
import { writeModelPart } from '../../train/write-part.js'
import { Generator } from '../../tensor/index.js'
import { makeTinyModel } from '../support/model.js'
import { writeRendered } from '../support/rendered.js'

const folder = await mkdtemp(join(tmpdir(), 'pocket-'))
t.teardown(() => rm(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
await makeTinyModel(at('model'))
await writeRendered(at('clips'), 1, { frames: 2, size: 64 })
const config = { model_type: 'part_extractor', image_size: 64, channels: [8, 8, 8, 8], joints: 22 }
const runtime = await openRuntime({ runtime: 'wasm', quiet: true })
const extractor = new PartExtractor(parsePartExtractorConfig('extractor', JSON.stringify(config)))
initializeWeights(runtime, extractor.weights, new Generator(0))
await writeModelPart(at('model/extractor'), 'model', extractor.weights, config)
extractor.dispose()
await runtime.close()

async function cli(...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  const [out, errors] = [t.capture(console, 'log'), t.capture(console, 'error')]
  const code = await runCli(['eval', 'pocket', '--runtime', 'wasm', '--model', at('model'), '--pppm', 'none', ...args])
  const textOf = (calls: { args: unknown[] }[]) => calls.map(({ args }) => String(args[0])).join('\n')
  const outcome = { code, out: textOf(out()), errors: textOf(errors()) }
  out.restore()
  errors.restore()
  return outcome
}

await t.test('all cases of a clip, as numbers and on a sheet', async t => {
  const run = [
    '--data',
    at('clips'),
    '--frames',
    '2',
    '--stride',
    '1',
    '--steps',
    '1',
    '--sheets',
    at('sheets'),
    '--json',
  ]
  const { code, out, errors } = await cli(...run)
  t.equal(code, 0, errors)
  const { rows, claims } = JSON.parse(out) as { rows: { case: string; psnr: number }[]; claims: object }
  t.same(
    rows.map(row => row.case),
    ['truth', 'image only', 'target pose', 'full motion', 'refined motion'],
  )
  t.ok(rows.slice(1).every(({ psnr }) => psnr > 0))
  t.match(claims, { followsMasks: Boolean, orderOfSsim: Boolean, refinedPicturesCloser: Boolean })
  t.ok((await readFile(at('sheets/clip-000000.png'), 'latin1')).startsWith('\x89PNG'))
})

await t.test('mistakes are told in one line', async t => {
  for (const [args, message] of [
    [['--data', at('none')], /no folder of clips/],
    [['--data', at('clips'), '--clips', '0'], /--clips: out of range/],
    [['--data', at('clips'), '--frames', '9'], /at least 17 frames/],
  ] as const) {
    const { code, errors } = await cli(...args)
    t.not(code, 0)
    t.match(errors, message)
    t.notMatch(errors, /\n\s+at /)
  }
})
