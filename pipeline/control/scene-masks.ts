// The part masks of a scene: bodies and objects, seen by its camera, nearer ones in front.

import { raster } from '../../kernels/index.js'
import { Body } from '../../models/body/body.js'
import type { BodyData } from '../../models/body/body-data.js'
import { labelsOfFaces } from '../../models/body/labels.js'
import { openHuman } from '../../models/body/open-human.js'
import { openQuadruped } from '../../models/body/open-quadruped.js'
import { numbersOf } from '../../models/pppm/encoding.js'
import { jointsOf, objectPoints } from '../../models/pppm/kinds.js'
import type { LabelMap } from '../../models/svd/picture.js'
import { Tensor, UsageError, type Runtime } from '../../tensor/index.js'
import { projectVertices } from '../render/raster.js'
import { labelled, type Scene, type SceneEntity } from '../scene/scene.js'
import { triangulate } from './triangulate.js'

/** What one frame of a scene shows. */
export interface SceneMask {
  readonly labels: LabelMap
  /** [height x width]: metres from the camera along its view; infinite where nothing is. */
  readonly depth: Float32Array
  /** 0..1: how much the entities are trusted in this frame, by the pixels that each covers; 0 where none is seen. */
  readonly confidence: number
}

/** Body models to draw with: SMPL-X's joints for people, SMAL's for animals. By default the open bodies. */
export interface SceneBodies {
  readonly human?: BodyData
  readonly animal?: BodyData
}

/** An entity as triangles. */
interface Figure {
  /** [F x 3] */
  readonly faces: ArrayLike<number>
  /** [F]: the part label of each. */
  readonly labels: Uint8Array
  readonly vertices: number
  /** Where vertices of frames start..end are seen, [(end - start) x V x 3]. */
  see(start: number, end: number): Promise<Float32Array>
}

// Frames are drawn together as long as they have no more pixels and vertices than this.
const mostPixels = 2 ** 22
const mostVertices = 2 ** 20
const contourStart = objectPoints - 16

/**
 * The masks of a scene's frames, one after the other. Bodies are labelled by their parts (models/body/labels.ts),
 * objects by their own label. Of an object its contour is filled, at the depth of its points.
 *
 * @throws UsageError for a body model of other joints than its kind's
 */
export async function* sceneMasks(
  runtime: Runtime,
  scene: Scene,
  bodies: SceneBodies = {},
): AsyncGenerator<SceneMask, void, undefined> {
  const { width, height, frames, entities } = scene
  const area = width * height
  using models = new Models(runtime, bodies)
  const figures = labelled(entities).map(entity => figureOf(entity, scene, models))
  const sizes = figures.map(figure => figure.vertices)
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0))
  const vertices = sizes.reduce((sum, size) => sum + size, 0)
  const labels = Uint8Array.from(figures.flatMap(figure => [...figure.labels]))
  const faces = Int32Array.from(figures.flatMap((figure, i) => Array.from(figure.faces, vertex => vertex + starts[i])))
  const owners = figures.flatMap((figure, i) => new Array<number>(figure.faces.length / 3).fill(i))
  using indices = Tensor.from(runtime, faces, [faces.length / 3, 3], 'i32')

  const together = Math.max(1, Math.floor(Math.min(mostPixels / area, mostVertices / Math.max(1, vertices))))
  for (let start = 0; start < frames; start += together) {
    const end = Math.min(start + together, frames)
    const seen = new Float32Array((end - start) * vertices * 3)
    for (const [i, figure] of figures.entries()) {
      const points = await figure.see(start, end)
      const own = 3 * sizes[i]
      for (let n = 0; n < end - start; n++)
        seen.set(points.subarray(n * own, (n + 1) * own), 3 * (n * vertices + starts[i]))
    }
    using points = Tensor.from(runtime, seen, [end - start, vertices, 3])
    const rastered = raster(points, indices, { width, height })
    using triangles = rastered.triangles
    using depth = rastered.depth
    rastered.shares.dispose()
    const [shown, far] = [(await triangles.data()) as Int32Array, await depth.floats()]
    for (let n = 0; n < end - start; n++) {
      const pixels = shown.subarray(n * area, (n + 1) * area)
      const data = Uint8Array.from(pixels, face => (face < 0 ? 0 : labels[face]))
      const trust = entities.map(({ confidence }) => confidence[start + n])
      yield {
        labels: { width, height, data },
        depth: far.slice(n * area, (n + 1) * area),
        confidence: confidenceOf(pixels, owners, trust),
      }
    }
  }
}

/** The label maps of all frames of a scene; see `sceneMasks`. */
export async function sceneLabels(runtime: Runtime, scene: Scene, bodies: SceneBodies = {}): Promise<LabelMap[]> {
  const maps: LabelMap[] = []
  for await (const { labels } of sceneMasks(runtime, scene, bodies)) maps.push(labels)
  return maps
}

function confidenceOf(triangles: Int32Array, owners: readonly number[], trust: readonly number[]): number {
  let [sum, count] = [0, 0]
  for (const face of triangles) {
    if (face < 0) continue
    sum += trust[owners[face]]
    count++
  }
  return count > 0 ? sum / count : 0
}

/** The bodies that a scene needs, each put into memory once. */
class Models implements Disposable {
  readonly #bodies = new Map<string, Body>()

  constructor(
    private readonly runtime: Runtime,
    private readonly given: SceneBodies,
  ) {}

  of(kind: 'human' | 'animal'): Body {
    const known = this.#bodies.get(kind)
    if (known) return known
    const data = this.given[kind] ?? (kind === 'human' ? openHuman() : openQuadruped())
    if (data.parents.length !== jointsOf[kind])
      throw new UsageError({
        where: 'sceneMasks',
        what: `a body of other joints than the ${kind}s of scenes`,
        expected: String(jointsOf[kind]),
        got: String(data.parents.length),
      })
    const body = new Body(this.runtime, data)
    this.#bodies.set(kind, body)
    return body
  }

  [Symbol.dispose](): void {
    for (const body of this.#bodies.values()) body.dispose()
  }
}

function figureOf({ kind, motion, shape, label }: SceneEntity, { camera }: Scene, models: Models): Figure {
  const width = numbersOf(kind)
  if (kind === 'object') {
    const corners = objectPoints - contourStart
    const triangles = corners - 2
    return {
      // Which corners make triangles changes from frame to frame, so these have corners of their own.
      faces: Array.from({ length: 3 * triangles }, (_, i) => i),
      labels: new Uint8Array(triangles).fill(label!),
      vertices: 3 * triangles,
      see: async (start, end) => {
        const out = new Float32Array((end - start) * 9 * triangles)
        for (let frame = start; frame < end; frame++) {
          const contour = motion.numbers.subarray(frame * width + 3 * contourStart, (frame + 1) * width)
          const seen = projectVertices(contour, camera)
          const places = Array.from({ length: corners }, (_, i) => [seen[3 * i], seen[3 * i + 1]] as const)
          triangulate(places).forEach((corner, i) =>
            out.set(seen.subarray(3 * corner, 3 * corner + 3), (frame - start) * 9 * triangles + 3 * i),
          )
        }
        return out
      },
    }
  }
  const body = models.of(kind)
  const { faces, template, shapes } = body.data
  const coefficients = Float32Array.from({ length: shapes }, (_, i) => shape[i] ?? 0)
  return {
    faces,
    labels: labelsOfFaces(body.data),
    vertices: template.length / 3,
    see: async (start, end) =>
      projectVertices(await verticesOf(body, motion.numbers, coefficients, start, end), camera),
  }
}

/** The vertices of a body in frames start..end, [(end - start) x V x 3]. */
async function verticesOf(
  body: Body,
  numbers: Float32Array,
  coefficients: Float32Array,
  start: number,
  end: number,
): Promise<Float32Array> {
  const angles = 3 * body.data.parents.length
  const count = end - start
  const columns = (first: number, size: number) => {
    const out = new Float32Array(count * size)
    for (let n = 0; n < count; n++) {
      const from = (start + n) * (angles + 3) + first
      out.set(numbers.subarray(from, from + size), n * size)
    }
    return Tensor.from(body.runtime, out, [count, size])
  }
  using pose = columns(0, angles)
  using translation = columns(angles, 3)
  using shape = Tensor.from(body.runtime, coefficients, [1, coefficients.length])
  const { vertices, joints, shaped } = body.forward({ pose, translation, shape })
  try {
    return await vertices.floats()
  } finally {
    for (const tensor of [vertices, joints, shaped]) tensor.dispose()
  }
}
