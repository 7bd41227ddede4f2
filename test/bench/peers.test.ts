// Other libraries: each in its process, with what it would find in a browser.

import t from 'tap'
import { startPeers } from '../../bench/peers/client.js'
import { provideThreads } from '../../bench/peers/threads.js'

await t.test('a peer that cannot start is told of and left out', async t => {
  const told: string[] = []
  t.same(await startPeers(['tfjs'], { adapter: 'abacus', threads: 1, patience: 60 }, line => told.push(line)), [])
  t.match(told, [/^tfjs does not run here: .*unknown adapter/])
})

interface BrowserWorker {
  onmessage: (event: { data: unknown }) => void
  onerror: (error: Error) => void
  postMessage(message: unknown): void
}

await t.test('a script in a Blob is a worker, as in a browser', async t => {
  provideThreads(3)
  const browser = globalThis as unknown as {
    navigator: { hardwareConcurrency: number }
    Worker: new (url: string) => BrowserWorker
  }
  t.equal(browser.navigator.hardwareConcurrency, 3)
  const script = 'self.onmessage = ({ data }) => { if (data < 0) throw new Error("too small"); postMessage(2 * data) }'
  const worker = new browser.Worker(URL.createObjectURL(new Blob([script])))
  const answers: unknown[] = []
  const failure = new Promise<Error>(resolve => (worker.onerror = resolve))
  worker.onmessage = ({ data }) => answers.push(data)
  for (const message of [1, 2, -1]) worker.postMessage(message)
  t.match(await failure, { message: 'too small' })
  t.same(answers, [2, 4], 'messages keep their order')
})
