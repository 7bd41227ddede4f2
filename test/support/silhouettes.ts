// Masks made up for tests: shapes, and bodies in poses drawn at random.

import { poseLimits } from '../../models/body/joint-limits.js'
import { openHuman } from '../../models/body/open-human.js'
import { Skin } from '../../models/body/skin.js'
import type { LabelMap } from '../../models/svd/picture.js'
import { orbit } from '../../pipeline/render/camera.js'
import { rasterize } from '../../pipeline/render/raster.js'
import { Generator } from '../../tensor/index.js'

/** The mask of the pixels for which a condition holds. */
export function maskWhere(width: number, height: number, isIn: (x: number, y: number) => boolean): LabelMap {
  const data = Uint8Array.from({ length: width * height }, (_, i) => Number(isIn(i % width, Math.floor(i / width))))
  return { width, height, data }
}

/** Pixels in both masks over pixels in either. */
export function iou(a: LabelMap, b: LabelMap): number {
  let [both, either] = [0, 0]
  a.data.forEach((value, i) => {
    if (value && b.data[i]) both++
    if (value || b.data[i]) either++
  })
  return either === 0 ? 1 : both / either
}

/** Masks of a person in poses drawn between the limits of joints, from all sides. */
export function randomSilhouettes(count: number, size: number, seed = 1): LabelMap[] {
  const random = new Generator(seed)
  const data = openHuman()
  const skin = new Skin(data)
  return Array.from({ length: count }, () => {
    const pose = new Float32Array(3 * data.parents.length + 3)
    poseLimits.low.forEach((low, n) => {
      // The middle of the ranges more than their ends; the whole body stays upright.
      const share = (random.rand(1)[0] + random.rand(1)[0]) / 2
      if (n >= 3) pose[n] = 0.3 * (low + share * (poseLimits.high[n] - low))
    })
    const view = { yaw: 2 * Math.PI * random.rand(1)[0], pitch: 0.3 * random.rand(1)[0], distance: 4 }
    const camera = orbit([0, -0.1, 0], view, { width: size, height: size, focal: 1.8 * size })
    const vertices = skin.follow(skin.pose(pose))
    const { triangles } = rasterize({ vertices, faces: data.faces }, camera, size, size)
    return { width: size, height: size, data: Uint8Array.from(triangles, face => Number(face >= 0)) }
  })
}
