// The process of one peer: loads the library on the wanted adapter or threads, then answers the bench (see
// protocol.ts).

import { hostOperands } from '../operands.js'
import { provideGpu, settled } from './gpu.js'
import { provideThreads } from './threads.js'
import type { Driver, Work } from './driver.js'
import type { Answer, PeerName, Request } from './protocol.js'

const [name, adapter, count] = process.argv.slice(2) as [PeerName, string, string]
const threads = Number(count)

const drivers: Record<PeerName, () => Promise<Driver>> = {
  tfjs: async () => {
    await provideGpu(adapter)
    return (await import('./tfjs.js')).openTfjs()
  },
  jax: async () => {
    await provideGpu(adapter)
    return (await import('./jax.js')).openJax()
  },
  ort: async () => (await import('./ort.js')).openOrt(await provideGpu(adapter)),
  'tfjs-wasm': async () => (await import('./tfjs.js')).openTfjsWasm(),
  'jax-wasm': async () => {
    provideThreads(threads)
    return (await import('./jax.js')).openJaxWasm(threads)
  },
  'ort-wasm': async () => (await import('./ort.js')).openOrtWasm(threads),
  'ort-node': async () => (await import('./ort.js')).openOrtNode(threads),
}

const say = (answer: Answer) => process.send?.(answer)
const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0]

let work: Work | undefined

async function timed(repeats: number, { run, flush }: Work): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < repeats; i++) await run()
  flush?.()
  await settled()
  return (performance.now() - start) / 1e3
}

async function fulfil(driver: Driver, request: Request): Promise<Answer> {
  if (request.do === 'prepare') {
    await work?.dispose()
    work = undefined
    const data = hostOperands(request.operands)
    const operands = Object.fromEntries(
      Object.entries(request.operands).map(([name, { shape }]) => [name, { data: data[name], shape }]),
    )
    work = await driver.prepare(request.task, operands)
    return { seconds: await timed(1, work) }
  }
  if (!work) throw new Error('nothing is prepared')
  if (request.do === 'round') return { seconds: await timed(request.repeats, work) }
  const output = await work.output()
  return { values: request.indices.map(index => output[index]) }
}

try {
  const driver = await drivers[name]()
  process.on('message', (request: Request) => {
    fulfil(driver, request).then(say, error => say({ error: firstLine(error) }))
  })
  process.on('disconnect', () => process.exit()) // the bench is gone
  say({ version: driver.version })
} catch (error) {
  say({ error: firstLine(error) })
  process.exitCode = 1
  process.disconnect()
}
