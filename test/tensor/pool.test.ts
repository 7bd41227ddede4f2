// Device memory: reused for its exact size, and beyond a bound of idle memory by whoever it is large enough for. The
// device here only counts.

import t from 'tap'
import { globals } from 'webgpu'
import { OutOfMemoryError } from '../../tensor/index.js'
import { Pool, type GpuStorage } from '../../tensor/webgpu/pool.js'

Object.assign(globalThis, { GPUBufferUsage: (globals as Record<string, unknown>).GPUBufferUsage })

const MiB = 2 ** 20

/** A pool, and the bytes of all buffers that its device holds. */
function counted(maxBytes = Infinity) {
  const device = {
    bytes: 0,
    flushes: 0,
    createBuffer: ({ size }: GPUBufferDescriptor) => {
      device.bytes += size
      return { size, destroy: () => (device.bytes -= size) }
    },
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(null),
  }
  const pool = new Pool(device as unknown as GPUDevice, {
    maxBytes,
    maxBufferBytes: 1024 * MiB,
    flush: () => device.flushes++,
    onDestroy: () => undefined,
    watch: () => undefined,
  })
  return { pool, device }
}

/** Work that holds two of these sizes at a time. */
function chain(pool: Pool, sizes: readonly number[]): void {
  let last: GpuStorage | undefined
  for (const size of sizes) {
    const next = pool.acquire(size * MiB, 'link')
    if (last) pool.release(last)
    last = next
  }
  if (last) pool.release(last)
}

const sizes = [500, 10, 490, 20, 480, 30, 470, 40, 460, 50, 450, 60, 440, 70, 430, 80]

void t.test('what is live and idle is what the device holds, to the byte', t => {
  const { pool, device } = counted()
  const held: GpuStorage[] = []
  for (let i = 0; i < 200; i++) {
    held.push(pool.acquire(sizes[(i * 7) % sizes.length] * MiB + 4 * i, 'one'))
    if (held.length > 5) pool.release(held.splice((i * 5) % held.length, 1)[0])
    const asked = held.reduce((sum, { bytes }) => sum + Pool.roundUp(bytes), 0)
    if (pool.live !== asked || pool.live + pool.idle !== device.bytes)
      t.fail(`step ${i}: ${pool.live} live of ${asked}, ${pool.idle} idle of ${device.bytes}`)
  }
  for (const storage of held) pool.release(storage)
  t.equal(pool.live, 0)
  t.equal(pool.idle, device.bytes)
  pool.trim()
  t.equal(device.bytes, 0)
  t.equal(pool.idle, 0)
  t.end()
})

void t.test('small memory is kept whatever its sizes, and reused for the same size alone', t => {
  const { pool, device } = counted()
  for (let i = 1; i <= 20; i++) chain(pool, [i / 4, i / 8])
  const made = { misses: pool.misses, bytes: device.bytes }
  for (let i = 1; i <= 20; i++) chain(pool, [i / 4, i / 8])
  t.same({ misses: pool.misses, bytes: device.bytes }, made)
  t.equal(device.flushes, 0)
  t.end()
})

void t.test('many sizes leave no more idle than the peak asks for, and a loop over them settles', t => {
  const { pool, device } = counted()
  let most = 0
  const counts = Array.from({ length: 4 }, () => {
    chain(pool, sizes)
    most = Math.max(most, device.bytes)
    return pool.misses
  })
  t.equal(pool.peak, 520 * MiB - 10 * MiB)
  t.ok(most <= 1.5 * pool.peak, `${most / MiB} MiB held at most, by exact size ${sizes.reduce((a, b) => a + b)}`)
  t.equal(counts[3], counts[1], 'nothing is made after the second round')
  t.end()
})

void t.test('the steps of a loop get the same buffers, in whatever order they were given back', t => {
  const { pool } = counted()
  const step = (order: readonly number[]) => {
    const made = Array.from({ length: 4 }, () => pool.acquire(MiB, 'same'))
    const places = made.map(({ place }) => place)
    for (const i of order) pool.release(made[i])
    return places
  }
  const first = step([0, 1, 2, 3])
  t.ok(step([3, 1, 0, 2]).every((place, i) => place === first[i]))
  t.ok(step([1, 2, 3, 0]).every((place, i) => place === first[i]))
  t.end()
})

void t.test('a budget holds whatever fits in exact sizes, and never more', t => {
  const budget = 520 * MiB
  const { pool, device } = counted(budget)
  let most = 0
  for (let i = 0; i < 3; i++)
    for (const size of sizes) {
      chain(pool, [size, 520 - size])
      most = Math.max(most, device.bytes)
    }
  t.ok(most <= budget)
  const large = pool.acquire(500 * MiB, 'large')
  const small = pool.acquire(20 * MiB, 'small')
  t.throws(() => pool.acquire(1, 'one more'), OutOfMemoryError)
  pool.release(small)
  t.equal(pool.acquire(16 * MiB, 'another').bytes, 16 * MiB)
  pool.release(large)
  t.end()
})
