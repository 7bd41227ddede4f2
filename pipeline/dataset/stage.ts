// Draws frames of a clip: surfaces with a depth buffer, three samples along each side of a pixel, shadows on the ground.
// The middle sample of a pixel is its centre, so that labels are exactly those of the mesh there.
//
// Triangles are filled here rather than by the plain loops of kernels/raster: those keep the nearest face and three
// shares of every sample, which is several times the work where a face has one colour, and shadows need no depth at all.

import type { Camera } from '../render/camera.js'
import { drawBackdrop, type Backdrop, type Scenery } from './scenery.js'

/** A closed surface, and how it looks. */
export interface Surface {
  /** [V x 3], metres. */
  readonly vertices: Float32Array
  /** [F x 3]: counter-clockwise from outside. */
  readonly faces: Int32Array
  /** [F x 3], 0..255, and [F]: colour and part label of each face. */
  readonly colours: Uint8Array
  readonly labels: Uint8Array
}

/** What was drawn, for one frame. */
export interface DrawnFrame {
  /** [H x W x 3] */
  readonly frame: Uint8Array
  /** [H x W] */
  readonly labels: Uint8Array
}

const finer = 3
const middle = (finer - 1) / 2
// Nothing nearer than this is drawn, metres.
const nearest = 0.05
// Shadows are so soft: passes of a box of three samples.
const blurs = 2

/** A place where clips are drawn: memory for one size of frames. */
export class Stage {
  readonly #wide: number
  readonly #high: number
  readonly #colours: Uint8Array
  readonly #labels: Uint8Array
  /** One over the depth: 0 is infinitely far. */
  readonly #near: Float32Array
  readonly #shadow: Uint8Array
  readonly #blurred: Uint8Array
  #points = new Float32Array(0)
  /** The triangle that is drawn: its samples, the shares of its first two corners and their steps, its colour. */
  readonly #triangle = {
    ...{ left: 0, right: 0, top: 0, bottom: 0 },
    ...{ u: 0.1, ux: 0.1, uy: 0.1, v: 0.1, vx: 0.1, vy: 0.1 },
    paint: new Uint8ClampedArray(3),
  }
  readonly #backdrop: Backdrop

  constructor(
    readonly width: number,
    readonly height: number,
    readonly camera: Camera,
    readonly scenery: Scenery,
  ) {
    this.#wide = finer * width
    this.#high = finer * height
    const samples = this.#wide * this.#high
    this.#colours = new Uint8Array(3 * samples)
    this.#labels = new Uint8Array(samples)
    this.#near = new Float32Array(samples)
    this.#shadow = new Uint8Array(samples)
    this.#blurred = new Uint8Array(samples)
    this.#backdrop = drawBackdrop(scenery, camera, width, height, finer)
  }

  /** Draws one frame of surfaces. */
  draw(surfaces: readonly Surface[]): DrawnFrame {
    this.#labels.fill(0)
    this.#near.fill(0)
    this.#shadow.fill(0)
    for (const surface of surfaces) this.#cast(surface)
    this.#ground()
    for (const surface of surfaces) this.#paint(surface)
    return this.#resolved()
  }

  /** Metres to what was drawn last at a place of the picture; infinite where there is nothing. */
  depthAt(x: number, y: number): number {
    return 1 / this.#near[(finer * y + middle) * this.#wide + finer * x + middle]
  }

  /** Where vertices are among the samples, and one over their depth: [V x 3]; behind the camera it is below 0. */
  #project(vertices: Float32Array): Float32Array {
    if (this.#points.length < vertices.length) this.#points = new Float32Array(vertices.length)
    const points = this.#points
    const { position, axes, focal, centre } = this.camera
    const [[rx, ry, rz], [dx, dy, dz], [fx, fy, fz]] = axes
    for (let i = 0; i < vertices.length; i += 3) {
      const x = vertices[i] - position[0]
      const y = vertices[i + 1] - position[1]
      const z = vertices[i + 2] - position[2]
      const near = 1 / (fx * x + fy * y + fz * z)
      points[i] = finer * (centre[0] + focal * (rx * x + ry * y + rz * z) * near) + middle
      points[i + 1] = finer * (centre[1] + focal * (dx * x + dy * y + dz * z) * near) + middle
      points[i + 2] = near
    }
    return points
  }

  #paint({ vertices, faces, colours, labels }: Surface): void {
    const points = this.#project(vertices)
    for (let face = 0; face < labels.length; face++) {
      const i = 3 * face
      const a = 3 * faces[i]
      const b = 3 * faces[i + 1]
      const c = 3 * faces[i + 2]
      if (!this.#begin(points, a, b, c) || !(Math.max(points[a + 2], points[b + 2], points[c + 2]) < 1 / nearest))
        continue
      const lit = this.#lit(vertices, a, b, c)
      const { paint } = this.#triangle
      for (let channel = 0; channel < 3; channel++) paint[channel] = colours[i + channel] * lit
      this.#fill(points[a + 2], points[b + 2], points[c + 2], labels[face])
    }
  }

  /** How bright a face is. */
  #lit(vertices: Float32Array, a: number, b: number, c: number): number {
    const { light, ambient } = this.scenery
    const px = vertices[b] - vertices[a]
    const py = vertices[b + 1] - vertices[a + 1]
    const pz = vertices[b + 2] - vertices[a + 2]
    const qx = vertices[c] - vertices[a]
    const qy = vertices[c + 1] - vertices[a + 1]
    const qz = vertices[c + 2] - vertices[a + 2]
    const nx = py * qz - pz * qy
    const ny = pz * qx - px * qz
    const nz = px * qy - py * qx
    const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1
    const facing = Math.max(0, (nx * light[0] + ny * light[1] + nz * light[2]) / length)
    // A little more from above than from below.
    return ambient * (1 + (0.25 * ny) / length) + (1 - ambient) * facing
  }

  /**
   * Takes up a triangle: the samples around it and how its corners' shares change from one to the next. False if it
   * turns its back, reaches behind the camera or meets no sample.
   */
  #begin(points: Float32Array, a: number, b: number, c: number): boolean {
    const ax = points[a]
    const ay = points[a + 1]
    const bx = points[b]
    const by = points[b + 1]
    const cx = points[c]
    const cy = points[c + 1]
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    // Rows go down, so what is counter-clockwise from outside is clockwise here.
    if (!(area < 0) || !(Math.min(points[a + 2], points[b + 2], points[c + 2]) > 0)) return false
    const t = this.#triangle
    t.left = Math.max(0, Math.ceil(Math.min(ax, bx, cx)))
    t.right = Math.min(this.#wide - 1, Math.floor(Math.max(ax, bx, cx)))
    t.top = Math.max(0, Math.ceil(Math.min(ay, by, cy)))
    t.bottom = Math.min(this.#high - 1, Math.floor(Math.max(ay, by, cy)))
    if (t.left > t.right || t.top > t.bottom) return false
    t.ux = (by - cy) / area
    t.uy = (cx - bx) / area
    t.u = -t.uy * by - t.ux * bx
    t.vx = (cy - ay) / area
    t.vy = (ax - cx) / area
    t.v = -t.vy * cy - t.vx * cx
    return true
  }

  /** Paints the triangle taken up where nothing nearer is. */
  #fill(an: number, bn: number, cn: number, label: number): void {
    const { left, right, top, bottom, u: u0, ux, uy, v: v0, vx, vy, paint } = this.#triangle
    const wide = this.#wide
    const nearer = this.#near
    for (let y = top; y <= bottom; y++)
      for (let x = left; x <= right; x++) {
        const u = u0 + ux * x + uy * y
        const v = v0 + vx * x + vy * y
        const w = 1 - u - v
        if (u < 0 || v < 0 || w < 0) continue
        const near = u * an + v * bn + w * cn
        const at = y * wide + x
        if (near <= nearer[at]) continue
        nearer[at] = near
        this.#labels[at] = label
        this.#colours[3 * at] = paint[0]
        this.#colours[3 * at + 1] = paint[1]
        this.#colours[3 * at + 2] = paint[2]
      }
  }

  /** Marks the samples of the ground that a surface keeps the light from. */
  #cast({ vertices, faces }: Surface): void {
    const { light } = this.scenery
    const fallen = new Float32Array(vertices.length)
    for (let i = 0; i < vertices.length; i += 3) {
      const height = Math.max(0, vertices[i + 1])
      fallen[i] = vertices[i] - (height * light[0]) / light[1]
      fallen[i + 2] = vertices[i + 2] - (height * light[2]) / light[1]
    }
    const points = this.#project(fallen)
    // Half of a closed surface, that which is seen from the light, casts all of its shadow.
    for (let i = 0; i < faces.length; i += 3) {
      if (!this.#begin(points, 3 * faces[i], 3 * faces[i + 1], 3 * faces[i + 2])) continue
      const { left, right, top, bottom, u: u0, ux, uy, v: v0, vx, vy } = this.#triangle
      for (let y = top; y <= bottom; y++)
        for (let x = left; x <= right; x++) {
          const u = u0 + ux * x + uy * y
          const v = v0 + vx * x + vy * y
          if (u >= 0 && v >= 0 && u + v <= 1) this.#shadow[y * this.#wide + x] = 255
        }
    }
  }

  /** Lays the ground and the sky, with soft shadows. */
  #ground(): void {
    const [w, h] = [this.#wide, this.#high]
    const [shadow, other] = [this.#shadow, this.#blurred]
    for (let pass = 0; pass < blurs; pass++) {
      blur(shadow, other, w, h, 1, w)
      blur(other, shadow, h, w, w, 1)
    }
    const { colours, ground } = this.#backdrop
    const laid = this.#colours
    laid.set(colours)
    const strength = this.scenery.shadow / 255
    for (let at = 0; at < w * h; at++) {
      if (shadow[at] === 0 || ground[at] === 0) continue
      const left = 1 - strength * shadow[at]
      laid[3 * at] = colours[3 * at] * left
      laid[3 * at + 1] = colours[3 * at + 1] * left
      laid[3 * at + 2] = colours[3 * at + 2] * left
    }
  }

  #resolved(): DrawnFrame {
    const { width, height } = this
    const wide = this.#wide
    const samples = this.#colours
    const frame = new Uint8Array(3 * width * height)
    const labels = new Uint8Array(width * height)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let red = 0
        let green = 0
        let blue = 0
        for (let dy = 0; dy < finer; dy++) {
          const start = 3 * ((finer * y + dy) * wide + finer * x)
          for (let i = start; i < start + 3 * finer; i += 3) {
            red += samples[i]
            green += samples[i + 1]
            blue += samples[i + 2]
          }
        }
        const at = y * width + x
        frame[3 * at] = red / finer ** 2 + 0.5
        frame[3 * at + 1] = green / finer ** 2 + 0.5
        frame[3 * at + 2] = blue / finer ** 2 + 0.5
        labels[at] = this.#labels[(finer * y + middle) * wide + finer * x + middle]
      }
    return { frame, labels }
  }
}

/** Means of three neighbours along lines of `count` values, `step` apart; lines are `pitch` apart. */
function blur(from: Uint8Array, to: Uint8Array, count: number, lines: number, step: number, pitch: number): void {
  for (let line = 0; line < lines; line++) {
    let at = line * pitch
    for (let i = 0; i < count; i++, at += step) {
      const before = from[i > 0 ? at - step : at]
      const after = from[i < count - 1 ? at + step : at]
      to[at] = (before + from[at] + after) / 3
    }
  }
}
