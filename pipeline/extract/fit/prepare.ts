// Between observations and the descent: numbers in rows, places, and a start where only pictures tell.

import { poseJoints } from '../../../models/body/kinematics.js'
import {
  aboutAxis,
  fromAxisAngle,
  multiply,
  slerp,
  toMatrix,
  vectorAt,
  type Quaternion,
} from '../../../models/body/quaternion.js'
import { joinFloats, type Runtime } from '../../../tensor/index.js'
import type { Camera } from '../../render/camera.js'
import type { Figure } from './figure.js'
import type { LossData } from './loss.js'
import type { Observations } from './observations.js'
import { descend } from './optimise.js'
import { facing, placeOf, type Start } from './start.js'
import { usualWidths } from './widths.js'

/** How pictures are made: the part of a camera that does not tell where it stands. */
export type Lens = Pick<Camera, 'focal' | 'centre'>

/** What the loss is given of T frames: slopes instead of pixels. */
export function lossData(
  { pixels, pixelTrust, points, pointTrust }: Observations,
  turns: readonly Quaternion[],
  places: Float32Array,
  { lens: { focal, centre }, fps }: { lens: Lens; fps: number },
): LossData {
  return {
    turns: Float32Array.from(turns.flatMap(turn => transposed(toMatrix(turn)))),
    slopes: pixels.map((value, i) => (value - centre[i % 2]) / focal),
    slopeTrust: pixelTrust,
    points,
    pointTrust,
    distances: Float32Array.from(turns, (_, t) => places[3 * t + 2]),
    hypotheses: 1,
    fps,
    widths: usualWidths(pixelTrust.length / turns.length, fps),
  }
}

function transposed(m: readonly number[]): number[] {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]]
}

// Where nothing tells how far away a body is, metres.
const usualDistance = 4

/** Where bodies are in each frame, [T x 3]; where that cannot be told, as in the nearest frame where it can. */
export function placesOf(
  { names, parents, rest }: Figure,
  { pixels, pixelTrust }: Observations,
  { turns, pose }: Start,
  lens: Lens,
): Float32Array {
  const nodes = names.length
  const found = turns.map((turn, t) => {
    const rotations = names.flatMap((_, node) => (node === 0 ? turn : fromAxisAngle(vectorAt(pose, t * nodes + node))))
    const { positions } = poseJoints({ parents: [...parents], rest }, rotations, [0, 0, 0])
    const row = (values: Float32Array, size: number) => values.subarray(t * nodes * size, (t + 1) * nodes * size)
    return placeOf(positions, row(pixels, 2), row(pixelTrust, 1), lens)
  })
  const known = found.flatMap((place, t) => (place ? [t] : []))
  const nearest = (t: number) => known.reduce((a, b) => (Math.abs(b - t) < Math.abs(a - t) ? b : a), known[0])
  return Float32Array.from(found.flatMap((_, t) => found[nearest(t)] ?? [0, 0, usualDistance]))
}

// Ways to face that are tried, and frames and steps they are tried on.
const headings = 8
const triedFrames = 6
const triedSteps = 80

/**
 * A start where nothing tells of depth: figures at ease that face any way are fitted to a few frames, each on its own;
 * the way that explains all of them best is taken.
 */
export async function startOfPictures(
  runtime: Runtime,
  figure: Figure,
  observations: Observations,
  lens: Lens,
): Promise<Start> {
  const tried = bestFrames(observations, figure.names.length)
  const ways = Array.from({ length: headings }, (_, i) =>
    multiply(facing, aboutAxis('y', (2 * Math.PI * i) / headings)),
  )
  const turns = ways.flatMap(way => tried.map(() => way))
  const rowsOf = (values: Float32Array, size: number) => {
    const width = figure.names.length * size
    return joinFloats(ways.flatMap(() => tried.map(t => values.subarray(t * width, (t + 1) * width))))
  }
  const seen: Observations = {
    frames: turns.length,
    pixels: rowsOf(observations.pixels, 2),
    pixelTrust: rowsOf(observations.pixelTrust, 1),
    points: rowsOf(observations.points, 3),
    pointTrust: rowsOf(observations.pointTrust, 1),
  }
  const pose = joinFloats(turns.map(() => figure.relaxed))
  const place = placesOf(figure, seen, { turns, pose }, lens)
  // Errors weigh the same in all ways, however far away each would have the body be.
  const distances = new Float32Array(turns.length).fill(middleOf(turns.map((_, row) => place[3 * row + 2])))
  const data = { ...lossData(seen, turns, place, { lens, fps: 1 }), distances, hypotheses: turns.length }
  const start = { pose, place, shape: new Float32Array(figure.shapes) }
  const descent = await descend(runtime, figure, data, start, triedSteps)
  const costs = ways.map((_, way) =>
    tried.reduce((sum, _, i) => {
      const row = way * tried.length + i
      return sum + descent.apart[row] + descent.odd[row]
    }, 0),
  )
  const best = costs.indexOf(Math.min(...costs))
  const width = figure.rest.length
  const poses = descent.pose.subarray(best * tried.length * width, (best + 1) * tried.length * width)
  return spread(tried, observations.frames, ways[best], poses)
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

/** The frames in which most is seen, one out of each stretch of time. */
function bestFrames({ frames, pixelTrust }: Observations, nodes: number): number[] {
  const count = Math.min(triedFrames, frames)
  const seen = Array.from({ length: frames }, (_, t) =>
    pixelTrust.subarray(t * nodes, (t + 1) * nodes).reduce((a, b) => a + b, 0),
  )
  const found = Array.from({ length: count }, (_, i) => {
    const [from, to] = [Math.floor((i * frames) / count), Math.floor(((i + 1) * frames) / count)]
    const stretch = seen.slice(from, to)
    return from + stretch.indexOf(Math.max(...stretch))
  })
  return found.filter(t => seen[t] > 0)
}

/** All frames out of those tried, whose poses [tried x 3 K] turn on top of `way`: between those before and after. */
function spread(tried: readonly number[], frames: number, way: Quaternion, poses: Float32Array): Start {
  const width = poses.length / tried.length
  const turnOf = (i: number) => multiply(way, fromAxisAngle(vectorAt(poses, (i * width) / 3)))
  const turns: Quaternion[] = []
  const pose = new Float32Array(frames * width)
  for (let t = 0; t < frames; t++) {
    const after = Math.max(
      0,
      tried.findIndex(other => other >= t),
    )
    const next = tried[tried.length - 1] < t ? tried.length - 1 : after
    const last = tried[next] <= t ? next : Math.max(0, next - 1)
    const share = next === last ? 0 : (t - tried[last]) / (tried[next] - tried[last])
    turns.push(slerp(turnOf(last), turnOf(next), share))
    for (let i = 3; i < width; i++) {
      const [a, b] = [poses[last * width + i], poses[next * width + i]]
      pose[t * width + i] = a + share * (b - a)
    }
  }
  return { turns, pose }
}
