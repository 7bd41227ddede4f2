// How good fits are: rendered scenes whose truth is known, points seen in them with errors and gaps, and what the fit
// makes of them.

import { Body } from '../../../models/body/body.js'
import { labelsOfFaces } from '../../../models/body/labels.js'
import { numbersOf } from '../../../models/pppm/encoding.js'
import { jointsOf } from '../../../models/pppm/kinds.js'
import { quadrupedJointNames } from '../../../models/body/quadruped-skeleton.js'
import { jointNames } from '../../../models/body/skeleton.js'
import type { LabelMap } from '../../../models/svd/picture.js'
import { vectorAt, type Vector } from '../../../models/body/quaternion.js'
import { Tensor, type Generator, type Runtime } from '../../../tensor/index.js'
import { meanOf } from './place.js'
import { dot, project, type Camera } from '../../render/camera.js'
import { rasterize } from '../../render/raster.js'
import type { SceneEntity } from '../../scene/scene.js'
import type { Figure } from './figure.js'
import type { BodyFit } from './fit.js'
import type { SeenFrame, SeenPoint } from './observations.js'

/** A body in every frame, world axes. */
export interface PosedBody {
  /** [T x J x 3] and [T x V x 3], metres. */
  readonly joints: Float32Array
  readonly vertices: Float32Array
}

/** The body of an entity, posed. */
export async function poseEntity(
  runtime: Runtime,
  { data }: Figure,
  { kind, motion: { numbers }, shape }: Pick<SceneEntity, 'kind' | 'motion' | 'shape'>,
): Promise<PosedBody> {
  const width = numbersOf(kind)
  const frames = numbers.length / width
  const cut = (from: number, to: number) =>
    Float32Array.from({ length: frames * (to - from) }, (_, i) => {
      const size = to - from
      return numbers[Math.floor(i / size) * width + from + (i % size)]
    })
  const turning = 3 * jointsOf[kind]
  using body = new Body(runtime, data)
  using pose = Tensor.from(runtime, cut(0, turning), [frames, turning])
  using translation = Tensor.from(runtime, cut(turning, width), [frames, 3])
  using coefficients = Tensor.from(runtime, shape.length > 0 ? shape : new Float32Array(data.shapes), [1, data.shapes])
  const { vertices, joints, shaped } = body.forward({ pose, translation, shape: coefficients })
  shaped.dispose()
  try {
    return { joints: await joints.floats(), vertices: await vertices.floats() }
  } finally {
    vertices.dispose()
    joints.dispose()
  }
}

export interface SightOptions {
  readonly camera: Camera
  /** Deviation of errors, pixels; points in space are off by as much, at the body's distance. Default: 0. */
  readonly noise?: number
  /** Share of points that are missing. Default: 0. */
  readonly missing?: number
  /** Whether points in space are told. Default: true. */
  readonly depth?: boolean
  readonly random: Generator
}

/** What a detector would tell of a body: its nodes in the pictures, and in space against the first joint. */
export function sightOf(
  { names, vertices: skin, kind }: Figure,
  body: PosedBody,
  { camera, noise = 0, missing = 0, depth = true, random }: SightOptions,
): SeenFrame[] {
  const joints = kind === 'human' ? jointNames : quadrupedJointNames
  const frames = body.joints.length / 3 / joints.length
  const vertices = body.vertices.length / 3 / frames
  return Array.from({ length: frames }, (_, t) => {
    const first = inCamera(camera, vectorAt(body.joints, t * joints.length))
    const metres = (noise * first[2]) / camera.focal
    return Object.fromEntries(
      names.flatMap((name, node) => {
        const own = skin[node].map(vertex => vectorAt(body.vertices, t * vertices + vertex))
        const world = own.length === 0 ? vectorAt(body.joints, t * joints.length + joints.indexOf(name)) : meanOf(own)
        const [isMissing, errors] = [random.rand(1)[0] < missing, random.randn(5)]
        if (isMissing) return []
        const [x, y] = project(camera, world)
        const place = inCamera(camera, world)
        const point: SeenPoint = {
          pixel: [x + noise * errors[0], y + noise * errors[1]],
          point: depth
            ? ([0, 1, 2].map(axis => place[axis] - first[axis] + metres * errors[2 + axis]) as unknown as Vector)
            : undefined,
          confidence: 1,
        }
        return [[name, point]]
      }),
    )
  })
}

function inCamera({ position, axes }: Camera, point: Vector): Vector {
  const from: Vector = [point[0] - position[0], point[1] - position[1], point[2] - position[2]]
  return [dot(from, axes[0]), dot(from, axes[1]), dot(from, axes[2])]
}

/**
 * Mean distance of body joints (without fingers and face) from the truth, each body seen from its own first joint, in
 * the camera's axes, metres: MPJPE after alignment of the root.
 */
export function jointError({ figure, nodes }: BodyFit, truth: PosedBody, camera: Camera): number {
  const joints = figure.data.parents.length
  const frames = truth.joints.length / 3 / joints
  let sum = 0
  for (let t = 0; t < frames; t++) {
    const found = (node: number) => vectorAt(nodes, t * figure.names.length + node)
    const real = (node: number) => inCamera(camera, vectorAt(truth.joints, t * joints + node))
    const [foundFirst, realFirst] = [found(0), real(0)]
    for (let node = 0; node < figure.turning; node++) {
      const [a, b] = [found(node), real(node)]
      sum += Math.hypot(...[0, 1, 2].map(axis => a[axis] - foundFirst[axis] - b[axis] + realFirst[axis]))
    }
  }
  return sum / (frames * figure.turning)
}

/** Part labels of a body as a camera sees it in a frame. */
export function drawParts(
  { data }: Figure,
  vertices: Float32Array,
  camera: Camera,
  { width, height }: { width: number; height: number },
): LabelMap {
  const { triangles } = rasterize({ vertices, faces: data.faces }, camera, width, height)
  const parts = labelsOfFaces(data)
  return { width, height, data: Uint8Array.from(triangles, face => (face < 0 ? 0 : parts[face])) }
}

/** Pixels of the same part in both, over pixels of a part in either: the IoU of part masks, pixel by pixel. */
export function maskOverlap(found: readonly LabelMap[], truth: readonly LabelMap[]): number {
  let [same, either] = [0, 0]
  found.forEach(({ data }, t) =>
    data.forEach((label, pixel) => {
      const real = truth[t].data[pixel]
      if (label > 0 && label === real) same++
      // A pixel of one part here and of another there is in the union of both parts.
      either += Number(label > 0) + Number(real > 0 && real !== label)
    }),
  )
  return either === 0 ? 1 : same / either
}
