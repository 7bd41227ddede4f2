// Rasterising: a unit is a band of rows of one picture, over which all triangles go in their order.

import { floatAt } from '../common/operand.as'

@unmanaged
class RasterParams {
  points: usize // [B, V, 3]
  faces: usize // [F, 3]
  triangles: usize // [B, H, W]
  shares: usize // [B, H, W, 3]
  depth: usize // [B, H, W]
  vertices: u32
  count: u32 // of faces
  height: u32
  width: u32
  bandRows: u32
  nearest: f32
  farthest: f32
  farthestPixel: f32
  steps: f32 // of a pixel
}

/** A unit is a band of rows of one picture. */
export function raster(p: RasterParams, from: u32, to: u32, _scratch: usize): void {
  const bands = (p.height + p.bandRows - 1) / p.bandRows
  for (let unit = from; unit < to; unit++) {
    const picture = unit / bands
    const first = (unit % bands) * p.bandRows
    const last = min(first + p.bandRows, p.height) - 1
    const pixel = (picture * p.height + first) * p.width
    clear(p, pixel, (last - first + 1) * p.width)
    const points = floatAt(p.points, 3 * picture * p.vertices)
    for (let face: u32 = 0; face < p.count; face++) {
      const corners = floatAt(p.faces, 3 * face)
      const a = load<u32>(corners)
      const b = load<u32>(corners, 4)
      const c = load<u32>(corners, 8)
      if (a >= p.vertices || b >= p.vertices || c >= p.vertices) continue
      draw(p, floatAt(points, 3 * a), floatAt(points, 3 * b), floatAt(points, 3 * c), face, pixel, first, last)
    }
  }
}

function clear(p: RasterParams, pixel: u32, count: u32): void {
  memory.fill(floatAt(p.triangles, pixel), 0xff, (<usize>count) << 2)
  memory.fill(floatAt(p.shares, 3 * pixel), 0, 12 * <usize>count)
  for (let i: u32 = 0; i < count; i++) store<f32>(floatAt(p.depth, pixel + i), Infinity)
}

function isSeen(p: RasterParams, corner: usize): bool {
  const z = load<f32>(corner, 8)
  const near = abs(load<f32>(corner)) <= p.farthestPixel && abs(load<f32>(corner, 4)) <= p.farthestPixel
  return z >= p.nearest && z <= p.farthest && near
}

/** Steps of a pixel, the nearest whole one; halves upwards. */
function stepsOf(p: RasterParams, address: usize): i64 {
  const exact = load<f32>(address) * p.steps
  const below = floor(exact)
  return <i64>below + i64(exact - below >= 0.5)
}

/** Draws a triangle into the rows first..last, of which the first begins at a pixel. */
function draw(
  p: RasterParams,
  a: usize,
  second: usize,
  third: usize,
  face: u32,
  pixel: u32,
  first: u32,
  last: u32,
): void {
  // Most triangles touch no row of a band, which their floats tell well enough.
  const low = min(load<f32>(a, 4), min(load<f32>(second, 4), load<f32>(third, 4)))
  const high = max(load<f32>(a, 4), max(load<f32>(second, 4), load<f32>(third, 4)))
  if (low > <f32>last + 1 || high < <f32>first - 1) return
  if (!isSeen(p, a) || !isSeen(p, second) || !isSeen(p, third)) return
  const ax = stepsOf(p, a)
  const ay = stepsOf(p, a + 4)
  let bx = stepsOf(p, second)
  let by = stepsOf(p, second + 4)
  let cx = stepsOf(p, third)
  let cy = stepsOf(p, third + 4)
  let area = sideOf(ax, ay, bx, by, cx, cy)
  if (area == 0) return
  const za = <f64>load<f32>(a, 8)
  let zb = <f64>load<f32>(second, 8)
  let zc = <f64>load<f32>(third, 8)
  // Turned so that the inside is to the right of every edge.
  const turned = area < 0
  if (turned) {
    area = -area
    const x = bx
    const y = by
    const z = zb
    bx = cx
    by = cy
    zb = zc
    cx = x
    cy = y
    zc = z
  }
  const steps = <i64>p.steps
  const top = max(<i64>first, ceilOf(min(ay, min(by, cy)), steps))
  const bottom = min(<i64>last, floorOf(max(ay, max(by, cy)), steps))
  const left = max(0, ceilOf(min(ax, min(bx, cx)), steps))
  const right = min(<i64>p.width - 1, floorOf(max(ax, max(bx, cx)), steps))
  if (left > right) return
  // An edge without its own pixels has the inside begin one step further.
  const leastU = i64(!hasEdge(bx, by, cx, cy))
  const leastV = i64(!hasEdge(cx, cy, ax, ay))
  const leastW = i64(!hasEdge(ax, ay, bx, by))
  for (let y = top; y <= bottom; y++) {
    let u = sideOf(bx, by, cx, cy, left * steps, y * steps)
    let v = sideOf(cx, cy, ax, ay, left * steps, y * steps)
    let w = sideOf(ax, ay, bx, by, left * steps, y * steps)
    let target = pixel + <u32>(y - <i64>first) * p.width + <u32>left
    for (let x = left; x <= right; x++, target++) {
      if (u >= leastU && v >= leastV && w >= leastW) {
        // What is even in the picture is one over the depth.
        const ofA = <f64>u / za
        const ofB = <f64>v / zb
        const ofC = <f64>w / zc
        const total = ofA + ofB + ofC
        const z = <f32>(<f64>area / total)
        if (z < load<f32>(floatAt(p.depth, target))) {
          store<f32>(floatAt(p.depth, target), z)
          store<u32>(floatAt(p.triangles, target), face)
          const shares = floatAt(p.shares, 3 * target)
          store<f32>(shares, <f32>(ofA / total))
          store<f32>(shares, <f32>((turned ? ofC : ofB) / total), 4)
          store<f32>(shares, <f32>((turned ? ofB : ofC) / total), 8)
        }
      }
      u -= (cy - by) * steps
      v -= (ay - cy) * steps
      w -= (by - ay) * steps
    }
  }
}

/** Twice the area of two corners and a point: above 0 on the right hand, as pixels go down. */
function sideOf(fromX: i64, fromY: i64, toX: i64, toY: i64, x: i64, y: i64): i64 {
  return (toX - fromX) * (y - fromY) - (toY - fromY) * (x - fromX)
}

/** Whether pixels on an edge belong to the triangle on its right: if they are its left or upper edge. */
function hasEdge(fromX: i64, fromY: i64, toX: i64, toY: i64): bool {
  return toY < fromY || (toY == fromY && toX > fromX)
}

function floorOf(x: i64, steps: i64): i64 {
  return (x >= 0 ? x : x - steps + 1) / steps
}

function ceilOf(x: i64, steps: i64): i64 {
  return floorOf(x + steps - 1, steps)
}
