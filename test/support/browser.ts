// A real browser for tests: one of the system's, or the headless Chromium inside the optional npm package whose
// SwiftShader serves as the embedded adapter. The page gets the project's modules from dist/ as they are, over HTTP from
// this process, and sends back what it found the same way.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { brotliDecompressSync, createBrotliDecompress } from 'node:zlib'
import { readTar } from '../../tensor/webgpu/tar.js'
import { projectRoot } from './paths.js'

const systemBrowsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const packageFolder = join(projectRoot, 'node_modules/@sparticuz/chromium')

/** What the browser draws with, and offers WebGPU on, where there is no GPU. */
const driverFiles = ['libEGL.so', 'libGLESv2.so', 'libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json']

/** Unpacks the package's Chromium into .cache/ (190 MB, some seconds, once). */
async function unpackBrowser(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string }
  const folder = join(projectRoot, '.cache', `chromium-${version}`)
  const browser = join(folder, 'chromium')
  if (existsSync(browser)) return browser
  await mkdir(join(projectRoot, '.cache'), { recursive: true })
  const temporary = await mkdtemp(`${folder}-`)
  const target = createWriteStream(join(temporary, 'chromium'), { mode: 0o700 })
  await pipeline(createReadStream(join(packageFolder, 'bin/chromium.br')), createBrotliDecompress(), target)
  const drivers = brotliDecompressSync(await readFile(join(packageFolder, 'bin/swiftshader.tar.br')))
  for (const [name, bytes] of readTar(drivers, driverFiles)) await writeFile(join(temporary, name), bytes)
  // Whole or not at all; another process may have been faster.
  await rename(temporary, folder).catch(() => rm(temporary, { recursive: true }))
  return browser
}

const starts = (browser: string) => spawnSync(browser, ['--version'], { timeout: 30_000 }).status === 0

/** A browser that starts on this machine, or why there is none. */
export async function findBrowser(): Promise<{ browser: string } | { obstacle: string }> {
  const installed = systemBrowsers.find(starts)
  if (installed !== undefined) return { browser: installed }
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(packageFolder))
    return { obstacle: 'no Chromium on this machine' }
  const browser = await unpackBrowser()
  return starts(browser) ? { browser } : { obstacle: `${browser} does not start` }
}

/** Headers that let a page share memory between threads. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

async function answer(request: IncomingMessage, response: ServerResponse, page: string): Promise<unknown> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (request.method === 'POST') {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    response.end()
    return JSON.parse(Buffer.concat(parts).toString())
  }
  const file = normalize(join(projectRoot, pathname))
  const isModule = file.startsWith(join(projectRoot, 'dist') + sep) && file.endsWith('.js') && existsSync(file)
  if (pathname === '/') response.setHeader('Content-Type', 'text/html').end(page)
  else if (isModule) response.setHeader('Content-Type', 'text/javascript').end(await readFile(file))
  else response.writeHead(404).end()
  return undefined
}

const pageOf = (body: string) => `<!doctype html><link rel="icon" href="data:,"><script type="module">
const main = async () => { ${body} }
const found = await main().catch(error => ({ error: String(error), stack: error.stack }))
await fetch('/', { method: 'POST', body: JSON.stringify(found) })
</script>`

/**
 * Runs JavaScript in a page, which may import from /dist/, and gives what it returned, through JSON; an exception is
 * given as `{ error, stack }`. Throws an Error when the browser ends without an answer, or has none in two minutes.
 * @param isolated whether the page may share memory between threads
 */
export async function inBrowser(browser: string, body: string, isolated: boolean): Promise<unknown> {
  const profile = await mkdtemp(join(tmpdir(), 'revision-browser-'))
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const found = new Promise<unknown>((resolve, reject) => {
    server.on('request', (request, response) => {
      if (isolated) for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value)
      answer(request, response, pageOf(body)).then(value => value !== undefined && resolve(value), reject)
    })
  })
  const flags = [
    ...['--headless=new', '--no-sandbox', '--no-zygote', '--disable-dev-shm-usage', '--no-first-run'],
    ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--remote-debugging-port=0'],
  ]
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const child = spawn(browser, [...flags, `--user-data-dir=${profile}`, url], { stdio: 'ignore', timeout: 120_000 })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const failed = ended.then(() => Promise.reject(new Error('the browser ended without an answer')))
  try {
    return await Promise.race([found, failed])
  } finally {
    failed.catch(() => {})
    child.kill('SIGKILL')
    await ended
    server.closeAllConnections()
    server.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 3 })
  }
}
