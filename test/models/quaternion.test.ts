import t from 'tap'
import {
  aboutAxis,
  angleBetween,
  between,
  fromAxisAngle,
  identity,
  inverse,
  multiply,
  normalize,
  rotate,
  slerp,
  toAxisAngle,
  type Quaternion,
  type Vector,
} from '../../models/body/quaternion.js'
import { Generator } from '../../tensor/index.js'

const random = new Generator(5)
const vector = (scale = 1): Vector => {
  const [x, y, z] = random.randn(3)
  return [x * scale, y * scale, z * scale]
}
const near = (a: readonly number[], b: readonly number[], within = 1e-9) =>
  a.length === b.length && a.every((value, i) => Math.abs(value - b[i]) <= within)

await t.test('a quarter turn about each axis goes the right-handed way', async t => {
  t.ok(near(rotate(aboutAxis('x', Math.PI / 2), [0, 1, 0]), [0, 0, 1]))
  t.ok(near(rotate(aboutAxis('y', Math.PI / 2), [0, 0, 1]), [1, 0, 0]))
  t.ok(near(rotate(aboutAxis('z', Math.PI / 2), [1, 0, 0]), [0, 1, 0]))
  t.ok(near(aboutAxis('y', 0.7), fromAxisAngle([0, 0.7, 0])))
})

await t.test('a product turns as one after the other, an inverse back', async t => {
  for (let i = 0; i < 20; i++) {
    const [a, b, v] = [fromAxisAngle(vector()), fromAxisAngle(vector()), vector()]
    t.ok(near(rotate(multiply(a, b), v), rotate(a, rotate(b, v))))
    t.ok(near(rotate(inverse(a), rotate(a, v)), v))
  }
})

await t.test('rotation vectors come back from quaternions of either sign, at angles from 0 to pi', async t => {
  for (const angle of [0, 1e-12, 1e-7, 1e-3, 1, 3, Math.PI - 1e-9]) {
    const v = vector()
    const turn = v.map(x => (x * angle) / Math.hypot(...v)) as unknown as Vector
    const q = fromAxisAngle(turn)
    t.ok(near(toAxisAngle(q), turn, 1e-7), `${angle}`)
    t.ok(near(toAxisAngle(q.map(x => -x) as unknown as Quaternion), turn, 1e-7), `${angle}, negated`)
  }
})

await t.test('slerp goes the short way at even speed, between equal ones too', async t => {
  const a = fromAxisAngle([0.2, -0.1, 0.4])
  const b = multiply(a, fromAxisAngle([0, 1.2, 0]))
  for (const end of [b, b.map(x => -x) as unknown as Quaternion])
    for (const share of [0, 0.25, 0.5, 1])
      t.ok(Math.abs(angleBetween(a, slerp(a, end, share)) - 1.2 * share) < 1e-7, `${share}`)
  t.ok(near(slerp(a, a, 0.3), a))
  t.equal(angleBetween(a, a.map(x => -x) as unknown as Quaternion) < 1e-7, true)
})

await t.test('between directions, opposite ones and nothing at all', async t => {
  const unit = (v: Vector) => v.map(x => x / Math.hypot(...v))
  for (let i = 0; i < 10; i++) {
    const [a, b] = [vector(), vector(3)]
    t.ok(near(unit(rotate(between(a, b), a)), unit(b)))
  }
  for (const v of [
    [1, 0, 0],
    [0, 2, 0],
    [0, 0, -3],
  ] as const) {
    const back = v.map(x => -x) as unknown as Vector
    t.ok(near(unit(rotate(between(v, back), v)), unit(back)), `${v.join()} turned round`)
  }
  t.strictSame(between([0, 0, 0], [1, 0, 0]), identity)
  t.strictSame(normalize([0, 0, 0, 0]), identity)
})
