// `npm test`: installs and builds what is missing, runs every test (quick floors first) and ends with one line of
// counts. Further arguments are test files or folders below test/, without them all are run: `npm test --
// kernels/matmul`.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { prepare, root } from './prepare.mjs'

prepare()

const floors = ['tensor', 'kernels', 'nn', 'models', 'train', 'pipeline', 'bench', 'docs']
const wanted = process.argv.slice(2)
const files = floors
  .filter(floor => existsSync(join(root, 'dist/test', floor)))
  .flatMap(floor =>
    readdirSync(join(root, 'dist/test', floor))
      .filter(name => name.endsWith('.test.js') && existsSync(join(root, 'test', floor, name.replace(/js$/, 'ts'))))
      .sort()
      .map(name => `dist/test/${floor}/${name}`),
  )
  .filter(file => wanted.length === 0 || wanted.some(part => file.startsWith(`dist/test/${part}`)))

if (files.length === 0) {
  console.error(`no test matches ${wanted.join(' ')}; try a path below test/, such as kernels/matmul`)
  process.exit(2)
}

mkdirSync(join(root, '.cache'), { recursive: true })
const report = join(root, '.cache/tests.tap')
rmSync(report, { force: true })
const { status, error } = spawnSync(
  process.execPath,
  [
    'node_modules/tap/dist/esm/run.mjs',
    '--disable-coverage',
    // Only failures where nobody watches; progress on a terminal.
    `--reporter=${process.stdout.isTTY ? 'terse' : 'min'}`,
    `--output-file=${report}`,
    '--timeout=600',
    `--jobs=${Math.min(4, availableParallelism())}`,
    ...files,
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, REVISION_QUIET: process.env.REVISION_QUIET ?? '1' } },
)
if (error || !existsSync(report)) {
  console.error(`tests did not run: ${error?.message ?? `exit code ${status}`}`)
  process.exit(status || 1)
}

// The runner closes its report with `# { total: 5, pass: 3, fail: 1, skip: 1 }`, zeros left out.
const totals =
  readFileSync(report, 'utf8')
    .match(/^# \{ (.*) \}$/gm)
    ?.at(-1) ?? ''
const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
const skipped = count('skip') ? `, ${count('skip')} skipped` : ''
// On a line of its own: the runner may leave the cursor behind a control sequence.
console.log(`\n${count('pass')} passed, ${count('fail')} failed${skipped}`)
process.exit(status || (count('fail') ? 1 : 0))
