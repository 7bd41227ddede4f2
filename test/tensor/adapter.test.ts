// The choice of an adapter, and the embedded one: its archive, its cache and one shader on it.

import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import t from 'tap'
import { AdapterError, UsageError } from '../../tensor/errors.js'
import { openAdapter, parseWish } from '../../tensor/webgpu/adapter.js'
import { mayHaveGpu } from '../../tensor/webgpu/dawn.js'
import { openDevice } from '../../tensor/webgpu/device.js'
import { embeddedObstacle, ownFolder, underDriver, unpackDriver } from '../../tensor/webgpu/embedded.js'
import { readTar } from '../../tensor/webgpu/tar.js'
import { projectRoot } from '../support/paths.js'

interface Entry {
  name: string
  content?: string
  type?: string
  size?: string
  checksum?: string
}

/** A tar archive with one header a given entry, lies included. */
function tar(entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, content = '', type = '0', size, checksum }) => {
    const header = Buffer.alloc(512)
    header.write(name, 0, 100, 'latin1')
    header.write(size ?? content.length.toString(8).padStart(11, '0'), 124, 12, 'latin1')
    header.write('        ', 148)
    header.write(type, 156)
    header.write('ustar\x0000', 257, 'latin1')
    const sum = header.reduce((a, b) => a + b, 0)
    header.write(checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1')
    return [header, Buffer.from(content.padEnd(Math.ceil(content.length / 512) * 512, '\0'), 'latin1')]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/** The driver's files, small, beside some that nobody asked for. */
const driverEntries: Entry[] = [
  { name: '../../escape', content: 'never written' },
  { name: 'libvk_swiftshader.so', content: 'driver'.repeat(200) },
  { name: 'libvulkan.so.1', content: 'loader' },
  { name: 'vk_swiftshader_icd.json', content: '{}' },
]
const driverFiles = ['libvk_swiftshader.so', 'libvulkan.so.1', 'sizes.json', 'vk_swiftshader_icd.json']

async function scratch(test: { teardown(task: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'revision-test-'))
  test.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

void t.test('a tar gives the wanted files and nothing else', async t => {
  const files = readTar(tar([{ name: 'a', content: 'x'.repeat(513) }, { name: 'b' }, { name: 'c', content: 'see' }]), [
    'c',
    'a',
  ])
  t.same([...files.keys()], ['a', 'c'])
  t.equal(files.get('a')?.length, 513)
  t.equal(Buffer.from(files.get('c') ?? []).toString(), 'see')
})

void t.test('a hostile tar is refused', async t => {
  const whole = tar([{ name: 'a', content: 'x'.repeat(2000) }])
  const cases: [string, Buffer, RegExp][] = [
    ['cut short', whole.subarray(0, 1024), /runs past the end/],
    ['a size beyond the archive', tar([{ name: 'a', size: '77777777777' }]), /runs past the end/],
    ['a size that is not octal', tar([{ name: 'a', size: '-1' }]), /runs past the end/],
    ['a size in binary form', tar([{ name: 'a', size: '\x80\0\0\0\0\0\0\0\0\0\x02\0' }]), /runs past the end/],
    ['a wrong checksum', tar([{ name: 'a', checksum: '000000\0 ' }]), /checksum/],
    ['no checksum', tar([{ name: 'a', checksum: '        ' }]), /checksum/],
    ['a link in the place of the file', tar([{ name: 'a', type: '2' }]), /not a regular file/],
    ['the file twice', tar([{ name: 'a' }, { name: 'a' }]), /twice/],
    ['the file under a path', tar([{ name: './a' }, { name: '/a' }]), /lacks a/],
    ['nothing', Buffer.alloc(0), /lacks a/],
    ['noise', Buffer.alloc(4096, 'noise'), /checksum/],
  ]
  for (const [name, archive, message] of cases) {
    t.throws(() => readTar(archive, ['a']), { name: 'FileError', message }, name)
  }
})

void t.test('the cache of the embedded driver repairs itself', { skip: process.platform === 'win32' }, async t => {
  const folder = await scratch(t)
  const archive = join(folder, 'driver.tar.br')
  await writeFile(archive, brotliCompressSync(tar(driverEntries)))
  const cache = join(folder, 'deep/cache')

  const driver = await unpackDriver(archive, cache)
  t.same((await readdir(cache)).sort(), driverFiles, 'only the three files and their sizes')
  t.same(driver, { icd: join(cache, 'vk_swiftshader_icd.json'), loader: join(cache, 'libvulkan.so.1') })
  const { ino, mode } = await stat(driver.loader)
  t.equal(mode & 0o077, 0, 'nobody else can touch them')

  await unpackDriver(archive, cache)
  t.equal((await stat(driver.loader)).ino, ino, 'a whole cache is left alone')

  const damages: [string, () => Promise<unknown>][] = [
    ['truncated', () => truncate(join(cache, 'libvk_swiftshader.so'), 100)],
    ['removed', () => rm(driver.icd)],
    ['without sizes', () => rm(join(cache, 'sizes.json'))],
    ['with half the sizes', () => truncate(join(cache, 'sizes.json'), 10)],
    ['with null for sizes', () => writeFile(join(cache, 'sizes.json'), 'null')],
  ]
  for (const [name, damage] of damages) {
    await damage()
    await Promise.all([1, 2, 3, 4].map(() => unpackDriver(archive, cache)))
    t.equal((await readFile(join(cache, 'libvk_swiftshader.so'))).length, 1200, `${name}: repaired by four at once`)
    t.same((await readdir(cache)).sort(), driverFiles, `${name}: nothing left over`)
  }
})

void t.test(
  'a driver is not unpacked from rubbish, nor to where others can write',
  { skip: process.platform === 'win32' },
  async t => {
    const folder = await scratch(t)
    const archive = join(folder, 'driver.tar.br')
    const cache = join(folder, 'cache')
    await writeFile(archive, 'not brotli')
    await t.rejects(unpackDriver(archive, cache), { name: 'FileError', message: /does not unpack/ })
    await writeFile(
      archive,
      brotliCompressSync(Buffer.alloc(65 * 2 ** 20), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
    )
    await t.rejects(unpackDriver(archive, cache), { name: 'FileError', message: /does not unpack/ }, 'a bomb')
    await writeFile(archive, brotliCompressSync(tar(driverEntries.slice(0, 2))))
    await t.rejects(unpackDriver(archive, cache), { name: 'FileError', message: /lacks libvulkan/ })
    t.same(await readdir(cache), [], 'nothing was written')

    await chmod(cache, 0o777)
    await t.rejects(ownFolder(cache), { name: 'FileError', message: /not a safe cache folder/ })
    await symlink(cache, join(folder, 'link'))
    await t.rejects(ownFolder(join(folder, 'link')), { name: 'FileError' }, 'a link to somewhere')
    await t.rejects(ownFolder(join(archive, 'below')), { code: 'ENOTDIR' })
    if (process.platform === 'linux')
      await t.rejects(ownFolder('/proc/none/cache'), { code: 'ENOENT' }, 'does not hang')
  },
)

void t.test('the environment names the embedded driver during the call only', async t => {
  const before = process.env.VK_DRIVER_FILES
  t.equal(
    underDriver('/icd.json', () => process.env.VK_DRIVER_FILES),
    '/icd.json',
  )
  t.throws(
    () =>
      underDriver('/icd.json', () => {
        throw new Error('inside')
      }),
    { message: 'inside' },
  )
  t.equal(process.env.VK_DRIVER_FILES, before)
})

void t.test('a wish is one of three words', async t => {
  t.equal(parseWish('lavapipe'), 'lavapipe')
  t.equal(parseWish(''), undefined)
  t.equal(parseWish(undefined), undefined)
  const message = 'REVISION_ADAPTER: unknown adapter; expected hardware, lavapipe or swiftshader; got "Hardware"'
  t.throws(() => parseWish('Hardware'), { name: 'UsageError', message })
  await t.rejects(openAdapter('vulkan'), { name: 'UsageError', message: /^adapter: / })
  const error = await openAdapter('x'.repeat(1e6)).catch((error: Error) => error)
  t.ok(error instanceof UsageError && error.message.length < 200, 'a short message for a long wish')
})

void t.test('a wish is granted or refused, never bent', async t => {
  for (const wish of ['hardware', 'lavapipe', 'swiftshader']) {
    const outcome = await openAdapter(wish, { quiet: true }).catch((error: unknown) => error)
    if (outcome instanceof Error) t.type(outcome, AdapterError, `${wish}: ${outcome.message}`)
    else t.match(outcome, { kind: wish, why: `the caller asks for ${wish}`, description: /./ })
  }
})

void t.test('a GPU is looked for only where one can be', async t => {
  for (const name of ['dri', 'nvidia0', 'dxg', 'mali0']) t.ok(mayHaveGpu(['null', name]), name)
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return
  t.notOk(mayHaveGpu(['null', 'shm', 'tty0', 'vhost-net']))
  if (mayHaveGpu()) return
  await t.rejects(openAdapter('hardware'), {
    name: 'AdapterError',
    message: /^adapter: no hardware adapter; got none;/,
  })
  const program = `
    import { openRuntime } from './dist/kernels/index.js'
    const runtime = await openRuntime()
    console.log(runtime.name)
    await runtime.close()`
  const env = { ...process.env, REVISION_RUNTIME: '', REVISION_ADAPTER: '' }
  const args = ['--input-type=module', '-e', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: projectRoot, env, encoding: 'utf8' })
  t.same({ stdout, stderr }, { stdout: 'wasm\n', stderr: '' }, 'and nobody hears of what was not wanted')
})

void t.test('the embedded adapter', { skip: embeddedObstacle() ?? false }, async t => {
  const lines: string[] = []
  const notice = (line: string) => void lines.push(line)
  const opened = await openAdapter('swiftshader', { notice })
  await openAdapter('swiftshader', { notice })
  if (!process.env.REVISION_QUIET) t.match(lines, [/no GPU in use.*SwiftShader/], 'is announced once')

  const { device, facts, wait, lost, close } = await openDevice(opened)
  t.match(facts, { kind: 'swiftshader', isFallback: true, features: { subgroups: true, f16: false } })
  for (const [name, value] of Object.entries(facts.limits)) t.equal(device.limits[name as 'maxBufferSize'], value, name)
  await t.rejects(openDevice(opened), { name: 'AdapterError', message: /has made its device/ })

  const code = `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(16) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = id.x * id.x; }`
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  })
  const squares = device.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })
  const staging = device.createBuffer({ size: 64, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
  const entries = [{ binding: 0, resource: { buffer: squares } }]
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(1)
  pass.end()
  encoder.copyBufferToBuffer(squares, 0, staging, 0, 64)
  device.queue.submit([encoder.finish()])
  await wait(staging.mapAsync(GPUMapMode.READ))
  t.same(
    [...new Uint32Array(staging.getMappedRange())],
    Array.from({ length: 16 }, (_, i) => i * i),
    'computes squares',
  )

  staging.unmap()
  const pending = staging.mapAsync(GPUMapMode.READ)
  const rejected = t.rejects(wait(pending), { name: 'AbortError' }, 'a pending read rejects')
  await close()
  await rejected
  t.match(await lost, /^destroyed/)
  await close()
})
