// Rasterising: what covers which pixel, what is in front, and that every device decides alike.

import t from 'tap'
import { raster } from '../../kernels/index.js'
import { Generator, Tensor, type Runtime } from '../../tensor/index.js'
import { close } from '../support/compare.js'
import { onRuntimes, referenceRuntime, shrunkLimits, wasmRuntime, webgpuRuntime } from '../support/kernels.js'

const reference = await referenceRuntime()
const webgpu = await webgpuRuntime()
const shrunk = await webgpuRuntime({ limits: shrunkLimits })
const wasm = await wasmRuntime()

interface Mesh {
  /** [B x V x 3] */
  readonly points: number[]
  readonly batch?: number
  readonly faces: number[]
}

interface Seen {
  readonly triangles: Int32Array
  readonly shares: Float32Array
  readonly depth: Float32Array
}

async function draw(
  runtime: Runtime,
  { points, batch = 1, faces }: Mesh,
  width: number,
  height: number,
): Promise<Seen> {
  using corners = Tensor.from(runtime, points, [batch, points.length / 3 / batch, 3])
  using indices = Tensor.from(runtime, faces, [faces.length / 3, 3], 'i32')
  const { triangles, shares, depth } = raster(corners, indices, { width, height })
  const seen = {
    triangles: (await triangles.data()) as Int32Array,
    shares: await shares.floats(),
    depth: await depth.floats(),
  }
  for (const tensor of [triangles, shares, depth]) tensor.dispose()
  return seen
}

/** Triangles in front of and through each other, some of them partly or wholly outside of the picture. */
function crowd(count: number, width: number, height: number, batch = 1): Mesh {
  const random = new Generator(count)
  const vertices = count + 2
  const places = random.rand(3 * batch * vertices)
  const points = Array.from(places, (value, i) =>
    i % 3 === 2 ? 0.5 + 4 * value : (1.4 * value - 0.2) * (i % 3 === 0 ? width : height),
  )
  return { points, batch, faces: Array.from({ length: count }, (_, i) => [i, i + 1, i + 2]).flat() }
}

await t.test('a triangle covers the pixels whose centres it holds, right in perspective', t =>
  onRuntimes(t, [reference, webgpu, shrunk, wasm], async (t, runtime) => {
    const points = [0, 0, 1, 4, 0, 2, 0, 4, 4]
    const { triangles, shares, depth } = await draw(runtime, { points, faces: [0, 1, 2] }, 5, 5)
    const rows = Array.from({ length: 5 }, (_, y) => Array.from(triangles.subarray(5 * y, 5 * y + 5)))
    t.same(rows, [
      [0, 0, 0, 0, -1],
      [0, 0, 0, -1, -1],
      [0, 0, -1, -1, -1],
      [0, -1, -1, -1, -1],
      [-1, -1, -1, -1, -1],
    ])
    // Halfway along the upper edge in the picture is a third of the way in the world.
    close(t, shares.subarray(6, 9), [2 / 3, 1 / 3, 0], 1e-6, 'shares')
    t.equal(Math.fround(depth[2]), Math.fround(4 / 3))
    t.equal(depth[24], Infinity)
    t.same([...shares.subarray(72)], [0, 0, 0])
  }),
)

await t.test('shares put every pixel back where it is seen', async t => {
  const [width, height] = [31, 23]
  const { points, faces } = crowd(12, width, height)
  const { triangles, shares, depth } = await draw(reference, { points, faces }, width, height)
  let covered = 0
  triangles.forEach((face, pixel) => {
    if (face < 0) return
    covered++
    const place = [0, 0, 0]
    for (let i = 0; i < 3; i++) {
      const [x, y, z] = points.slice(3 * faces[3 * face + i])
      ;[x * z, y * z, z].forEach((value, axis) => (place[axis] += shares[3 * pixel + i] * value))
    }
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    const error = Math.hypot(place[0] / place[2] - x, place[1] / place[2] - y)
    if (!(error < 0.01) || Math.abs(place[2] - depth[pixel]) > 0.01) t.fail(`pixel ${x}, ${y}: off by ${error}`)
  })
  t.ok(covered > 200, 'much of the picture is covered')
})

await t.test('a fan covers each pixel once: edges belong to one of two', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const [size, spokes] = [17, 12]
    // Its middle and several of its edges go right through pixel centres.
    const rim = Array.from({ length: spokes }, (_, i) => {
      const turn = (2 * Math.PI * i) / spokes
      return [8 + 40 * Math.cos(turn), 8 + 40 * Math.sin(turn), 2]
    })
    const counts = new Int32Array(size * size)
    const both = [[], [1]] // either way around
    for (const turned of both)
      for (let i = 0; i < spokes; i++) {
        const next = (i + 1) % spokes
        const faces = turned.length ? [0, 1 + next, 1 + i] : [0, 1 + i, 1 + next]
        const points = [8, 8, 2, ...rim.flat()]
        const { triangles } = await draw(runtime, { points, faces }, size, size)
        triangles.forEach((face, pixel) => (counts[pixel] += Number(face === 0)))
      }
    t.ok(counts.every(count => count === both.length))
  }),
)

await t.test('what is nearer hides, in any order; of equals the first is seen', t =>
  onRuntimes(t, [reference, webgpu, shrunk, wasm], async (t, runtime) => {
    const square = (z: number) => [-1, -1, z, 9, -1, z, -1, 9, z]
    const points = [...square(3), ...square(2), ...square(2)]
    const near = await draw(runtime, { points, faces: [0, 1, 2, 3, 4, 5, 6, 7, 8] }, 3, 3)
    t.ok(near.triangles.every(face => face === 1))
    const turned = await draw(runtime, { points, faces: [6, 7, 8, 4, 5, 3, 0, 1, 2] }, 3, 3)
    t.ok(turned.triangles.every(face => face === 0))
    t.ok(turned.depth.every(depth => Math.abs(depth - 2) < 1e-6))
  }),
)

await t.test('every device and number of threads sees the same', async t => {
  const runtimes = [webgpu, shrunk, wasm, await wasmRuntime({ threads: 0 }), await wasmRuntime({ threads: 3 })]
  const cases = [
    { count: 1, width: 1, height: 1 },
    { count: 3, width: 7, height: 65, batch: 3 },
    { count: 33, width: 64, height: 32 },
    { count: 70, width: 33, height: 31, batch: 2 },
    { count: 1100, width: 50, height: 70 }, // more blocks than a word has bits, more triangles than a shrunk binding
  ]
  for (const { count, width, height, batch } of cases) {
    const mesh = crowd(count, width, height, batch)
    const expected = await draw(reference, mesh, width, height)
    for (const [i, runtime] of runtimes.entries()) {
      const name = `${count} triangles, ${width} x ${height}, ${runtime.name} ${i}`
      const actual = await draw(runtime, mesh, width, height)
      t.same(actual.triangles, expected.triangles, `${name}: triangles`)
      close(t, actual.shares, expected.shares, 1e-5, `${name}: shares`)
      const finite = (depth: Float32Array) => depth.map(value => (value === Infinity ? 0 : value))
      close(t, finite(actual.depth), finite(expected.depth), 1e-5, `${name}: depth`)
      const places = (depth: Float32Array) => Array.from(depth, Number.isFinite)
      t.same(places(actual.depth), places(expected.depth), `${name}: where something is`)
    }
  }
})

await t.test('nothing to draw is an empty picture, and no picture is none', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const { triangles, depth } = await draw(runtime, { points: [1, 1, 1], faces: [] }, 3, 2)
    t.ok(triangles.every(face => face === -1) && depth.every(value => value === Infinity))
    using points = Tensor.zeros(runtime, [0, 5, 3])
    using faces = Tensor.from(runtime, [0, 1, 2], [1, 3], 'i32')
    const none = raster(points, faces, { width: 4, height: 3 })
    t.same(none.shares.shape, [0, 3, 4, 3])
  }),
)

await t.test('what has no place in a picture is left out, and nothing else is read', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    const whole = [-9, -9, 2, 30, -9, 2, -9, 30, 2]
    const spoilt = [NaN, Infinity, -Infinity, 3e38, -(2 ** 17) - 1].flatMap(value =>
      [0, 1].map(axis => whole.map((number, i) => (i === axis ? value : number))),
    )
    const depths = [NaN, Infinity, 0, -1, 0.005, 2e6].map(z => whole.map((number, i) => (i === 5 ? z : number)))
    const flat = [0, 0, 1, 5, 5, 1, 10, 10, 1]
    const points = [...spoilt, ...depths, flat, whole].flat()
    const last = points.length / 3
    const faces = Array.from({ length: last }, (_, i) => i)
    faces.push(0, 1, last, -1, -2, -(2 ** 31), 2 ** 31 - 1, 5, 6)
    const { triangles } = await draw(runtime, { points, faces }, 4, 4)
    t.ok(triangles.every(face => face === last / 3 - 1))
  }),
)

await t.test('corners far outside are exact', t =>
  onRuntimes(t, [reference, webgpu, wasm], async (t, runtime) => {
    // Two triangles along a diagonal that goes through every pixel's centre, with corners at the end of what is drawn.
    const far = 2 ** 17
    const points = [-far, -far, 1, far, far, 1, far, -far, 1, -far, far, 1]
    const { triangles } = await draw(runtime, { points, faces: [0, 1, 2, 0, 1, 3] }, 9, 9)
    triangles.forEach((face, pixel) => {
      const [x, y] = [pixel % 9, Math.floor(pixel / 9)]
      if (x !== y && face !== Number(y > x)) t.fail(`${x}, ${y}: ${face}`)
    })
    t.equal(new Set(Array.from({ length: 9 }, (_, i) => triangles[10 * i])).size, 1, 'the diagonal belongs to one')
    t.not(triangles[0], -1)
  }),
)

await t.test('says what does not fit', t => {
  const points = Tensor.zeros(reference, [1, 4, 3])
  const faces = Tensor.from(reference, [0, 1, 2], [1, 3], 'i32')
  const size = { width: 4, height: 4 }
  t.throws(() => raster(points.reshape([4, 3]), faces, size), {
    message: 'raster: points do not fit; expected f32 [B, V, 3]; got f32 [4, 3]',
  })
  t.throws(() => raster(points, points.reshape([4, 3]), size), /faces do not fit; expected i32 \[F, 3\]; got f32/)
  t.throws(() => raster(points, faces, { width: 4, height: 70000 }), /no such picture; expected sides of 1\.\.65535/)
  t.end()
})
