// Objects: masks become 21 points, points become masks again, and both follow the same object over time.

import t from 'tap'
import { orbit, project, unproject } from '../../pipeline/render/camera.js'
import { fillPolygon } from '../../pipeline/render/polygon.js'
import {
  boxOfMask,
  liftOutline,
  maskOfOutline,
  outlineOfMask,
  projectOutline,
} from '../../pipeline/extract/objects/object-points.js'
import { traceOutline, signedArea } from '../../pipeline/extract/objects/outline.js'
import { iou, maskWhere, randomSilhouettes } from '../support/silhouettes.js'

const disc = (x: number, y: number, r: number) => maskWhere(64, 48, (px, py) => Math.hypot(px - x, py - y) <= r)

/** A box a x b, turned by an angle. */
const turnedBox = (x: number, y: number, a: number, b: number, angle: number) =>
  maskWhere(64, 48, (px, py) => {
    const [dx, dy] = [px - x, py - y]
    const [u, v] = [dx * Math.cos(angle) + dy * Math.sin(angle), dy * Math.cos(angle) - dx * Math.sin(angle)]
    return Math.abs(u) <= a && Math.abs(v) <= b
  })

await t.test('an outline goes round the largest part, past holes and parts that touch by a corner', async t => {
  const map = (rows: string[]) => ({
    width: rows[0].length,
    height: rows.length,
    data: Uint8Array.from([...rows.join('')].map(Number)),
  })
  t.same(traceOutline(map(['000', '010', '000'])), [
    [1, 0.5],
    [1.5, 1],
    [1, 1.5],
    [0.5, 1],
  ])
  const ring = traceOutline(map(['11100', '10100', '11100', '00011']))
  t.equal(ring.length, 12)
  t.equal(signedArea(ring), 8.5)
  t.same(traceOutline(map(['00', '00'])), [])
  t.equal(traceOutline(map(['1111'])).length, 10)
})

await t.test('a polygon covers the pixels whose centres it goes round, those beyond the picture left out', async t => {
  const fill = (corners: [number, number][]) => {
    const mask = maskWhere(5, 4, () => false)
    fillPolygon(mask, corners, 7)
    return [0, 1, 2, 3].map(y =>
      [...mask.data.subarray(5 * y, 5 * y + 5)].map(label => (label === 7 ? '#' : '.')).join(''),
    )
  }
  t.same(
    fill([
      [0.5, 0.5],
      [3.5, 0.5],
      [3.5, 2.5],
      [0.5, 2.5],
    ]),
    ['.....', '.###.', '.###.', '.....'],
  )
  t.same(
    fill([
      [-9, -9],
      [9, -9],
      [9, 1.2],
      [-9, 1.2],
    ]),
    ['#####', '#####', '.....', '.....'],
  )
  t.same(
    fill([
      [0, 0],
      [4, 3],
      [4, 0],
      [0, 3],
    ]).join(''),
    fill([
      [4, 0],
      [0, 3],
      [0, 0],
      [4, 3],
    ]).join(''),
  )
  t.same(fill([]), ['.....', '.....', '.....', '.....'])
})

await t.test('smooth shapes come back from their 16 vertices', async t => {
  const shapes = {
    'a disc': disc(30, 22, 15),
    'a small disc': disc(30, 22, 5),
    'a box': maskWhere(64, 48, (x, y) => x >= 10 && x < 50 && y >= 8 && y < 30),
    'a turned box': turnedBox(30, 24, 18, 9, 0.5),
    'an ellipse': maskWhere(64, 48, (x, y) => Math.hypot((x - 32) / 25, (y - 20) / 9) <= 1),
    'a disc cut by the edge': disc(2, 22, 15),
  }
  for (const [name, mask] of Object.entries(shapes)) {
    const points = outlineOfMask(mask)!
    t.equal(points.length, 21)
    const share = iou(mask, maskOfOutline(points, mask.width, mask.height))
    t.ok(share >= 0.95, `${name}: ${share.toFixed(3)}`)
  }
})

await t.test('silhouettes of people come back', async t => {
  const shares = randomSilhouettes(12, 128).map(mask => {
    return iou(mask, maskOfOutline(outlineOfMask(mask)!, mask.width, mask.height))
  })
  const told = shares.map(share => share.toFixed(3)).join(' ')
  t.ok(Math.min(...shares) >= 0.865, told)
  t.ok(shares.reduce((sum, share) => sum + share) / shares.length >= 0.895, told)
})

await t.test(
  'points come in the order of the 21: box from the lower left, centre, contour from the right on',
  async t => {
    const points = outlineOfMask(disc(30, 22, 15))!
    t.same(points.slice(0, 5), [
      [14.5, 37.5],
      [45.5, 37.5],
      [45.5, 6.5],
      [14.5, 6.5],
      [30, 22],
    ])
    points.slice(5).forEach(([x, y], i) => {
      const turn = Math.atan2(22 - y, x - 30)
      const off = Math.atan2(Math.sin(turn - (2 * Math.PI * i) / 16), Math.cos(turn - (2 * Math.PI * i) / 16))
      t.ok(Math.abs(off) < 0.3, `${i}: ${off.toFixed(3)}`)
    })
  },
)

await t.test('vertices stay on their places while an object moves, grows and turns', async t => {
  let points: ReturnType<typeof outlineOfMask>
  const atCorner: number[] = []
  for (let step = 0; step <= 10; step++) {
    const [x, size, angle] = [20 + step, 1 + 0.02 * step, 0.2 + 0.08 * step]
    points = outlineOfMask(turnedBox(x, 24, 12 * size, 7 * size, angle), points)!
    const [sine, cosine] = [size * Math.sin(angle), size * Math.cos(angle)]
    const corner = [x + 12 * cosine - 7 * sine, 24 + 12 * sine + 7 * cosine]
    const away = points.slice(5).map(([px, py]) => Math.hypot(px - corner[0], py - corner[1]))
    atCorner.push(away.indexOf(Math.min(...away)))
  }
  t.ok(Math.max(...atCorner) - Math.min(...atCorner) <= 2, `vertices at a corner: ${atCorner.join(' ')}`)
})

await t.test('a mask of nothing has no points, a box bounds what there is', async t => {
  t.equal(outlineOfMask(maskWhere(4, 4, () => false)), undefined)
  t.equal(boxOfMask(maskWhere(4, 4, () => false)), undefined)
  for (const least of [maskWhere(4, 4, (x, y) => x === 0 && y === 3), maskWhere(9, 1, () => true)])
    t.equal(iou(least, maskOfOutline(outlineOfMask(least)!, least.width, least.height)), 1)
  t.same(boxOfMask(maskWhere(8, 8, (x, y) => x === 3 && y > 1 && y < 5)), {
    left: 2.5,
    top: 1.5,
    right: 3.5,
    bottom: 4.5,
  })
})

await t.test('into the world and back', async t => {
  const camera = orbit([0, 1, 0], { yaw: 0.4, pitch: 0.2, distance: 5 }, { width: 64, height: 48, focal: 60 })
  const [x, y, z] = project(camera, unproject(camera, [12, 40, 3.5]))
  t.ok(Math.hypot(x - 12, y - 40, z - 3.5) < 1e-9)
  const points = outlineOfMask(disc(30, 22, 15))!
  const world = liftOutline(
    points,
    points.map((_, i) => 3 + i / 20),
    camera,
  )
  const back = projectOutline(world, camera)!
  back.forEach(([x, y], i) => t.ok(Math.hypot(x - points[i][0], y - points[i][1]) < 1e-3))
  const behind = { ...camera, position: unproject(camera, [32, 24, 100]) }
  t.equal(projectOutline(world, behind), undefined)
})
