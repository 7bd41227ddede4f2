// `revision verify`: golden folders are recognised, wrong numbers are found, and strange folders are refused.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { operatorOf } from '../../pipeline/verify/operators.js'
import { compare, compareAbsolutely, type VerifyOutcome } from '../../pipeline/verify/outcome.js'
import { reportOf, verify, type VerifyReport } from '../../pipeline/verify/verify.js'
import { openSafetensors, writeSafetensors } from '../../tensor/files/index.js'
import { fromFloat32, toFloat32, type HostArray } from '../../tensor/index.js'
import { wasmRuntime } from '../support/kernels.js'
import { golden, projectRoot } from '../support/paths.js'

const runtime = await wasmRuntime()
const root = await mkdtemp(join(tmpdir(), 'revision-test-'))
t.teardown(() => rm(root, { recursive: true }))
const at = (...parts: string[]) => join(root, ...parts)

/** What ops.json says of a case. */
interface CaseRecord {
  op: string
  params: Record<string, unknown>
}

/** A golden folder of a copied network, and files that say by themselves what they are. */
async function makeFolder(name: string): Promise<string> {
  await cp(golden('clip-vision-tiny/quickgelu'), at(name, 'tower'), { recursive: true })
  await cp(golden('random.safetensors'), at(name, 'random.safetensors'))
  await cp(golden('svd-pipeline-tiny/resize.safetensors'), at(name, 'resize.safetensors'))
  return at(name)
}

/** Changes one tensor of a safetensors file. */
async function edit(path: string, tensor: string, change: (data: HostArray) => HostArray): Promise<void> {
  const file = await openSafetensors(path)
  const entries = await Promise.all([...file.tensors.keys()].map(async name => ({ name, ...(await file.read(name)) })))
  await file.close()
  await writeSafetensors(
    path,
    entries.map(entry => (entry.name === tensor ? { ...entry, data: change(entry.data) } : entry)),
  )
}

async function report(path: string): Promise<VerifyReport> {
  const outcomes: VerifyOutcome[] = []
  for await (const outcome of verify(path, runtime)) outcomes.push(outcome)
  return reportOf(outcomes)
}

/** The command in a process of its own. */
function revision(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const program = join(projectRoot, 'dist/pipeline/cli/main.js')
  const env = { ...process.env, REVISION_QUIET: '1', REVISION_DEBUG: '', REVISION_RUNTIME: 'wasm' }
  return new Promise(resolve => {
    execFile(process.execPath, [program, 'verify', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })
}

await t.test('files are recognised by their names, and those of others are listed', async t => {
  const path = await makeFolder('whole')
  await mkdir(at('whole/.hidden'))
  await mkdir(at('whole/lpips'))
  await writeSafetensors(at('whole/lpips/frechet.safetensors'), [])
  await symlink(golden('clip-text-tiny/gelu'), at('whole/linked'), 'junction')
  const { passed, failed, skipped, cases } = await report(path)
  t.equal(failed, 0)
  t.equal(passed, cases.length)
  const names = new Set(cases.map(({ name }) => name))
  t.same([...names].sort(), ['linked/io', 'random', 'resize', 'tower/io'])
  t.same(skipped, [{ name: 'lpips', reason: 'nothing here computes this: frechet' }])
  t.ok(
    cases.some(({ name, tensor }) => name === 'linked/io' && tensor.startsWith('inter.')),
    'modules inside as well',
  )

  const one = await report(at('whole/tower'))
  t.same(new Set(one.cases.map(({ name }) => name)), new Set(['tower/io']), 'a network alone goes by its folder')
  t.equal(runtime.statistics().live, 0, 'nothing is left in memory')
})

await t.test('every golden operator is known here, and the optimiser', async t => {
  const { cases } = JSON.parse(await readFile(golden('ops.json'), 'utf8')) as { cases: CaseRecord[] }
  const unknown = new Set(cases.map(({ op }) => op).filter(op => !operatorOf(op)))
  t.same([...unknown], ['torch.optim.AdamW'])
  t.equal(operatorOf('constructor'), undefined)

  const file = await openSafetensors(golden('ops.safetensors'))
  const tensors = [...file.tensors.keys()].filter(key => key.startsWith('adamw.'))
  const entries = await Promise.all(tensors.map(async name => ({ name, ...(await file.read(name)) })))
  await file.close()
  const traces = async (name: string, change: (item: CaseRecord) => object) => {
    await mkdir(at(name))
    await writeSafetensors(at(name, 'ops.safetensors'), entries)
    const changed = cases.filter(({ op }) => op === 'torch.optim.AdamW').map(change)
    await writeFile(at(name, 'ops.json'), JSON.stringify({ cases: changed }))
    return report(at(name))
  }
  const good = await traces('traces', item => item)
  t.match(good, { passed: 15, failed: 0, skipped: [] })
  t.same(
    good.cases.slice(0, 5).map(({ name, tensor }) => `${name} ${tensor}`),
    ['params', 'grads', 'losses', 'exp_avg', 'exp_avg_sq'].map(tensor => `ops/adamw.0 ${tensor}`),
  )
  const faster = await traces('faster', item => ({ ...item, params: { ...item.params, lr: 0.1 } }))
  t.equal(faster.cases.filter(({ tensor, ok }) => tensor === 'params' && !ok).length, 3, 'another rate is found')
  const refused = await traces('refused', item => ({ ...item, params: { ...item.params, betas: [1, 2] } }))
  t.match(refused.cases, new Array(3).fill({ ok: false, message: /betas or eps out of range/ }))
  await t.rejects(
    traces('misfit', item => ({ ...item, outputs: { losses: [10] } })),
    { name: 'FileError', message: /adamw\.0: not a trace of an optimiser/ },
  )
  t.equal(runtime.statistics().live, 0, 'nothing is left in memory')
})

await t.test('the command prints a verdict on each tensor, and fails on altered numbers', async t => {
  const path = await makeFolder('altered')
  const good = await revision(path)
  t.match(good, { code: 0, stderr: '' })
  t.match(good.stdout, /^pass {2}tower\/io image_embeds \(relative error \d\.\de-\d, allowed 0\.0001\)$/m)
  t.match(good.stdout, /^\d+ passed, 0 failed, 0 skipped\n$/m)

  await edit(at('altered/tower/io.safetensors'), 'image_embeds', data => {
    const values = Float32Array.from(data)
    values[3] *= 1.01
    return values
  })
  const bad = await revision(path, '--json')
  t.match(bad, { code: 1, stderr: '' })
  const { passed, failed, skipped, cases } = JSON.parse(bad.stdout) as VerifyReport
  t.equal(failed, 1)
  t.equal(passed, cases.length - 1)
  t.same(skipped, [])
  const [wrong] = cases.filter(({ ok }) => !ok)
  t.match(wrong, { name: 'tower/io', tensor: 'image_embeds', tolerance: 1e-4, ok: false })
  t.ok(wrong.error > 1e-4 && wrong.error < 1e-2, `off by ${wrong.error}`)
})

await t.test('altered weights, shapes and NaN are found', async t => {
  await makeFolder('weights')
  await edit(at('weights/tower/model.safetensors'), 'visual_projection.weight', data =>
    fromFloat32(
      'f16',
      toFloat32('f16', data).map(value => value * 1.05),
    ),
  )
  const weights = await report(at('weights'))
  t.same(
    weights.cases.filter(({ ok }) => !ok).map(({ tensor }) => tensor),
    ['image_embeds'],
  )
  await makeFolder('nan')
  await edit(at('nan/resize.safetensors'), '0/out', data => Float32Array.from(data).fill(NaN, 7, 8))
  await edit(at('nan/tower/io.safetensors'), 'image_embeds', data => Float32Array.from(data).fill(NaN))
  const nan = await report(at('nan'))
  t.same(
    nan.cases.filter(({ ok }) => !ok).map(({ tensor, error }) => [tensor, error]),
    [
      ['0/out', Infinity],
      ['image_embeds', Infinity],
    ],
  )
  t.match(compareAbsolutely('', '', [1, NaN], [1, 2], 5), { ok: false, error: Infinity })
  t.match(compareAbsolutely('', '', [1], [1, 2], 5), { ok: false, error: Infinity })
  const [one, infinite] = [1, Infinity].map(value => ({ data: Float32Array.of(value), shape: [1] }))
  t.match(compare('', '', one, infinite, 5), { ok: false, error: Infinity })
})

await t.test('a case that cannot be computed fails, the others go on', async t => {
  await mkdir(at('odd'))
  const row = { dtype: 'f32', shape: [2], data: Float32Array.of(1, 2) } as const
  const names = ['good/x', 'good/out', 'misfit/a', 'misfit/b', 'misfit/out', 'strange/x', 'strange/out']
  await writeSafetensors(
    at('odd/ops.safetensors'),
    names.map(name => ({ ...row, name })),
  )
  const cases = [
    { name: 'strange', op: 'teleport', params: {}, outputs: { out: [2] } },
    { name: 'misfit', op: 'matmul', params: {}, outputs: { out: [2] } },
    { name: 'good', op: 'abs', params: {}, outputs: { out: [2] } },
  ]
  await writeFile(at('odd/ops.json'), JSON.stringify({ cases }))
  const { cases: compared, skipped } = await report(at('odd'))
  t.match(compared, [
    { name: 'ops/misfit', ok: false, error: Infinity, message: /matmul/ },
    { name: 'ops/good', tensor: 'out', ok: true, error: 0 },
  ])
  t.same(skipped, [{ name: 'ops/strange', reason: 'no operation of this kind: teleport' }])
})

await t.test('strange folders are refused in one line', async t => {
  const folder = async (name: string, files: Record<string, string | Uint8Array>) => {
    await mkdir(at(name))
    for (const [file, text] of Object.entries(files)) await writeFile(at(name, file), text)
    return at(name)
  }
  const copied = async (name: string, change: (tower: string) => Promise<unknown>) => {
    await cp(golden('clip-vision-tiny/quickgelu'), at(name), { recursive: true })
    await change(at(name))
    return at(name)
  }
  const run = { image: '../../photo.png', unet: '../svd-unet-tiny', num_frames: 1 }
  const tensors = await readFile(golden('svd-pipeline-tiny/resize.safetensors'))
  const ops = (cases: unknown) =>
    folder(`ops ${counter++}`, { 'ops.json': JSON.stringify({ cases }), 'ops.safetensors': tensors })
  let counter = 0
  const refused: [string, string, RegExp][] = [
    ['nothing there', at('none'), /none: there is no such folder$/],
    ['a file', golden('ops.json'), /not a folder; expected a folder of golden files/],
    [
      'no golden files',
      await folder('empty', { 'notes.txt': '' }),
      /no golden files; expected files as in test\/golden/,
    ],
    ['no JSON', await folder('text', { 'ops.json': '{', 'ops.safetensors': tensors }), /ops\.json: bad JSON/],
    ['a list', await folder('list', { 'ops.json': '[]', 'ops.safetensors': tensors }), /expected a JSON object/],
    ['no tensors beside', await folder('alone', { 'ops.json': '{}' }), /ops\.safetensors: there is no such file/],
    ['no cases', await ops(7), /not golden cases of operators/],
    ['a case of nothing', await ops([null]), /bad case; expected a name and an op; got null/],
    ['no outputs', await ops([{ name: '0', op: 'abs' }]), /0: bad case; expected outputs and params/],
    ['an output that is not there', await ops([{ name: '0', op: 'abs', outputs: { y: [] } }]), /no tensor y/],
    [
      'a parameter of text',
      await ops([{ name: '0', op: 'softmax', params: { dim: '9' }, outputs: { out: [] } }]),
      /bad parameter dim; expected an integer/,
    ],
    [
      'an endless parameter',
      await ops([{ name: '0', op: 'softmax', params: { dim: 1e300 }, outputs: { out: [] } }]),
      /bad parameter dim/,
    ],
    [
      'a list too short',
      await ops([{ name: '0', op: 'conv3d', params: { padding: [1] }, outputs: { out: [] } }]),
      /bad parameter padding; expected 3 integers; got \[1\]/,
    ],
    [
      'a bad slice',
      await ops([{ name: '0', op: 'slice', params: { python: 'x[evil]' }, outputs: { out: [] } }]),
      /not a slice; got "x\[evil\]"/,
    ],
    [
      'truncated',
      await copied('cut', path => truncate(join(path, 'io.safetensors'), 5000)),
      /io\.safetensors: the file is truncated/,
    ],
    [
      'no inputs',
      await copied('blind', path => writeSafetensors(join(path, 'io.safetensors'), [])),
      /no tensor "pixel_values"/,
    ],
    [
      'a broken configuration',
      await copied('garbled', path =>
        writeFile(join(path, 'config.json'), '{"model_type":"clip_vision_model","hidden_size":-1}'),
      ),
      /config\.json: bad configuration/,
    ],
    [
      'weights of another model',
      await copied('other', path => writeSafetensors(join(path, 'model.safetensors'), [])),
      /weights do not fit the model/,
    ],
    [
      'a picture of no pixels',
      await folder('flat', {}).then(async path => {
        const row = { dtype: 'f32', shape: [1, 1, 1, 2], data: new Float32Array(2) } as const
        const none = { dtype: 'f32', shape: [1, 1, 0, 2], data: new Float32Array() } as const
        await writeSafetensors(join(path, 'resize.safetensors'), [
          { name: '0/x', ...row },
          { name: '0/out', ...none },
        ])
        return path
      }),
      /0\/x is no picture/,
    ],
    ['a draw that is none', await folder('draws', { 'random.safetensors': tensors }), /no draw that is known: 0\/out/],
    [
      'a picture elsewhere',
      await folder('away', { 'a.json': JSON.stringify(run), 'a.png': '', 'a.safetensors': tensors }),
      /a\.json: no such picture; got "\.\.\/\.\.\/photo\.png"/,
    ],
    [
      'networks elsewhere',
      await folder('far', {
        'a.json': JSON.stringify({ ...run, image: 'a.png', unet: '../../etc' }),
        'a.png': await readFile(golden('svd-pipeline-tiny/wide.png')),
        'a.safetensors': tensors,
      }),
      /bad unet; expected \.\.\/<folder>/,
    ],
  ]
  for (const [what, path, message] of refused)
    await t.rejects(report(path), { name: /FileError|WeightsError/, message }, what)
  const outcome = await revision(at('text'))
  t.match(outcome, { code: 2, stdout: '', stderr: /^revision: .*ops\.json: bad JSON.*\n$/ })
  t.match(await revision(), { code: 2, stdout: '' })
  t.equal(runtime.statistics().live, 0, 'nothing is left in memory')

  await mkdir(at('crowd'))
  for (let i = 0; i < 1001; i++) await mkdir(at('crowd', String(i)))
  await t.rejects(report(at('crowd')), { message: /too many folders; expected at most 1000/ })
})

await t.test('a bomb in the place of a vocabulary does not go off', async t => {
  await cp(golden('clip-text-tiny/gelu'), at('bomb'), { recursive: true })
  await cp(golden('clip-text-tiny/tokenizer_cases.json'), at('bomb/tokenizer_cases.json'))
  const { skipped } = await report(at('bomb'))
  t.same(skipped, [{ name: 'bomb/tokenizer_cases', reason: 'no vocabulary lies beside it' }])
  await writeFile(at('bomb/bpe_simple_vocab_16e6.txt.gz'), gzipSync(new Uint8Array(2 ** 25)))
  await t.rejects(report(at('bomb')), { name: 'FileError', message: /cannot be unpacked; expected at most/ })
  await writeFile(at('bomb/bpe_simple_vocab_16e6.txt.gz'), gzipSync('version\na b\nnonsense\n'))
  await t.rejects(report(at('bomb')), { name: 'FileError', message: /not a list of merges/ })
})
