// Rotations as unit quaternions on the host, for motion data: w first, right-handed, radians.

export type Quaternion = readonly [w: number, x: number, y: number, z: number]
export type Vector = readonly [x: number, y: number, z: number]

/** No rotation. */
export const identity: Quaternion = [1, 0, 0, 0]

/** a after b: first b turns, then a. */
export function multiply(a: Quaternion, b: Quaternion): Quaternion {
  const [aw, ax, ay, az] = a
  const [bw, bx, by, bz] = b
  return [
    aw * bw - ax * bx - ay * by - az * bz,
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
  ]
}

/** The rotation back. */
export function inverse([w, x, y, z]: Quaternion): Quaternion {
  return [w, -x, -y, -z]
}

/** A vector, turned. */
export function rotate([w, x, y, z]: Quaternion, [a, b, c]: Vector): Vector {
  const tx = 2 * (y * c - z * b)
  const ty = 2 * (z * a - x * c)
  const tz = 2 * (x * b - y * a)
  return [a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx]
}

/** Of length 1; no rotation for a quaternion of zeros. */
export function normalize(q: Quaternion): Quaternion {
  const length = Math.hypot(...q)
  if (!(length > 0)) return identity
  return [q[0] / length, q[1] / length, q[2] / length, q[3] / length]
}

/** The length of a vector of moderate numbers: Math.hypot, which minds overflow, takes many times as long. */
const lengthOf = (x: number, y: number, z: number) => Math.sqrt(x * x + y * y + z * z)

/** A rotation vector (axis times angle) as a quaternion. */
export function fromAxisAngle([x, y, z]: Vector): Quaternion {
  const angle = lengthOf(x, y, z)
  const scale = angle < 1e-8 ? 0.5 : Math.sin(angle / 2) / angle
  return [Math.cos(angle / 2), x * scale, y * scale, z * scale]
}

/** The rotation vector of a quaternion, its angle in 0..pi. */
export function toAxisAngle(q: Quaternion): Vector {
  const sign = q[0] < 0 ? -1 : 1
  const sine = lengthOf(q[1], q[2], q[3])
  const angle = 2 * Math.atan2(sine, sign * q[0])
  const scale = sign * (sine < 1e-8 ? 2 : angle / sine)
  return [q[1] * scale, q[2] * scale, q[3] * scale]
}

/** The rotation matrix, nine numbers row by row. */
export function toMatrix(q: Quaternion): number[] {
  const columns = [rotate(q, [1, 0, 0]), rotate(q, [0, 1, 0]), rotate(q, [0, 0, 1])]
  return [0, 1, 2].flatMap(row => columns.map(column => column[row]))
}

/** The quaternion of a rotation matrix (nine numbers row by row), by its largest component (Shepperd's method). */
export function fromMatrix(m: ArrayLike<number>): Quaternion {
  const [xx, yy, zz] = [m[0], m[4], m[8]]
  const squares = [1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz]
  const largest = squares.indexOf(Math.max(...squares))
  const s = 2 * Math.sqrt(Math.max(squares[largest], 1e-12))
  const own = s / 4
  const [wx, wy, wz] = [(m[7] - m[5]) / s, (m[2] - m[6]) / s, (m[3] - m[1]) / s]
  const [xy, xz, yz] = [(m[1] + m[3]) / s, (m[2] + m[6]) / s, (m[5] + m[7]) / s]
  if (largest === 0) return [own, wx, wy, wz]
  if (largest === 1) return [wx, own, xy, xz]
  if (largest === 2) return [wy, xy, own, yz]
  return [wz, xz, yz, own]
}

/** The first two columns of a rotation's matrix: six numbers without jumps. */
export function toSix([w, x, y, z]: Quaternion): number[] {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y + w * z),
    2 * (x * z - w * y),
    2 * (x * y - w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z + w * x),
  ]
}

/**
 * The rotation whose matrix has columns nearest to six numbers: the first is made a unit, the second across to it. Zhou
 * et al., "On the Continuity of Rotation Representations in Neural Networks" (arXiv:1812.07035), section B.
 */
export function fromSix(six: ArrayLike<number>): Quaternion {
  const a = direction([six[0], six[1], six[2]])
  const dot = a[0] * six[3] + a[1] * six[4] + a[2] * six[5]
  const b = direction([six[3] - dot * a[0], six[4] - dot * a[1], six[5] - dot * a[2]])
  const c = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
  return fromMatrix([0, 1, 2].flatMap(row => [a[row], b[row], c[row]]))
}

/** Turning about the x, y or z axis. */
export function aboutAxis(axis: 'x' | 'y' | 'z', angle: number): Quaternion {
  const [c, s] = [Math.cos(angle / 2), Math.sin(angle / 2)]
  return [c, axis === 'x' ? s : 0, axis === 'y' ? s : 0, axis === 'z' ? s : 0]
}

/** The shortest rotation that turns direction `from` into direction `to`. */
export function between(from: Vector, to: Vector): Quaternion {
  const [a, b] = [direction(from), direction(to)]
  const cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
  if (cosine < -1 + 1e-9) {
    // Half a turn, about any axis across.
    const across: Vector = Math.abs(a[0]) < 0.9 ? [0, a[2], -a[1]] : [-a[2], 0, a[0]]
    return normalize([0, ...direction(across)])
  }
  return normalize([1 + cosine, a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
}

function direction([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}

/** The way from a (t = 0) to b (t = 1) at even speed, the short way round. */
export function slerp(a: Quaternion, b: Quaternion, t: number): Quaternion {
  const dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]
  const sign = dot < 0 ? -1 : 1
  const angle = Math.acos(Math.min(1, Math.abs(dot)))
  const sine = Math.sin(angle)
  const [p, q] = sine < 1e-6 ? [1 - t, t] : [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine]
  return normalize([
    p * a[0] + sign * q * b[0],
    p * a[1] + sign * q * b[1],
    p * a[2] + sign * q * b[2],
    p * a[3] + sign * q * b[3],
  ])
}

/** The angle between two rotations, 0..pi. */
export function angleBetween(a: Quaternion, b: Quaternion): number {
  const [w, x, y, z] = multiply(inverse(a), b)
  return 2 * Math.atan2(Math.hypot(x, y, z), Math.abs(w))
}

/** A quaternion out of a list of them. */
export function quaternionAt(list: ArrayLike<number>, index: number): Quaternion {
  const i = 4 * index
  return [list[i], list[i + 1], list[i + 2], list[i + 3]]
}

/** A vector out of a list of them. */
export function vectorAt(list: ArrayLike<number>, index: number): Vector {
  const i = 3 * index
  return [list[i], list[i + 1], list[i + 2]]
}
