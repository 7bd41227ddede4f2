// The self-check that `revision doctor` runs.

import t from 'tap'
import { selfCheckCases } from '../../kernels/selfcheck-cases.js'
import { selfCheck, type SelfCheckResult } from '../../kernels/selfcheck.js'
import { mul } from '../../kernels/index.js'
import { referenceRuntime, webgpuRuntime } from '../support/kernels.js'

async function all(results: AsyncIterable<SelfCheckResult>): Promise<SelfCheckResult[]> {
  const list: SelfCheckResult[] = []
  for await (const result of results) list.push(result)
  return list
}

void t.test('every operation has a case, and passes', async t => {
  const runtime = await webgpuRuntime()
  for (const { op, about, ok, error, message } of await all(selfCheck(runtime)))
    t.ok(ok, `${op}, ${about}: ${message ?? error}`)
  t.equal(runtime.statistics().live, 0)
})

void t.test('an operation without a case fails', async t => {
  const cases = selfCheckCases.filter(({ op }) => op !== 'resize')
  const failed = (await all(selfCheck(await referenceRuntime(), cases))).filter(({ ok }) => !ok)
  t.match(failed, [{ op: 'resize', message: 'never checked' }])
  t.equal(failed.length, 1)
})

void t.test('wrong numbers, numbers that are missing and exceptions fail', async t => {
  const runtime = await referenceRuntime()
  const [sane] = selfCheckCases
  const results = await all(
    selfCheck(runtime, [
      { ...sane, run: o => (o.normal([1]).runtime === runtime ? o.normal([5]) : o.normal([4])) },
      { ...sane, run: o => mul(o.normal([3]), o.normal([3]).runtime === runtime ? o.normal([3]) : o.normal([1])) },
      { ...sane, run: o => [o.normal([3]), o.normal([1]).runtime === runtime ? o.normal([3]) : o.normal([2])] },
      {
        ...sane,
        run: () => {
          throw new Error('broken')
        },
      },
    ]),
  )
  const failures = results.slice(0, 4)
  t.match(failures, [{ ok: false }, { ok: false }, { ok: false }, { ok: false, message: 'broken' }])
})
