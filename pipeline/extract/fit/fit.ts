// Bodies fitted to what is seen of them, all frames of a video together.

import { fromAxisAngle, multiply, vectorAt, type Quaternion } from '../../../models/body/quaternion.js'
import type { Runtime } from '../../../tensor/index.js'
import type { PoseGuess } from '../detection.js'
import type { Figure } from './figure.js'
import { observationsOf, type Observations, type SeenFrame } from './observations.js'
import { descend, type Descent } from './optimise.js'
import { lossData, placesOf, startOfPictures, type Lens } from './prepare.js'
import { hasTrunk, startOfGuesses, startOfPoints } from './start.js'
import { widthsOf } from './widths.js'

export interface FitOptions {
  readonly lens: Lens
  /** Frames a second: how far bodies move from frame to frame. */
  readonly fps: number
  /** Poses to begin with, a frame each, where a network guessed some. */
  readonly guesses?: readonly (PoseGuess | undefined)[]
  /** Steps of the descent, after half as many that tell how exact points are. Default: 200. */
  readonly steps?: number
}

/** A body over T frames, in the camera's axes: x right, y down, z forward, metres. */
export interface BodyFit {
  readonly figure: Figure
  /** [T]: how the whole body is turned. */
  readonly turns: readonly Quaternion[]
  /** [T x 3 K]: rotation vectors of nodes against their parents; those of the first are zero. */
  readonly pose: Float32Array
  /** [S] */
  readonly shape: Float32Array
  /** [T x K x 3]: where the nodes are. */
  readonly nodes: Float32Array
  /** [T], 0..1: how much of the body was seen, and how near the fit is to it. */
  readonly confidence: Float32Array
}

/** A common lens, where none is told: as wide as seven eighths of its distance. */
export function usualLens(width: number, height: number): Lens {
  return { focal: 1.15 * Math.max(width, height), centre: [(width - 1) / 2, (height - 1) / 2] }
}

/**
 * Fits a figure to points seen over T frames; frames where nothing was seen follow from their neighbours. Throws a
 * UsageError where there is nothing to fit to.
 */
export async function fitBody(
  runtime: Runtime,
  figure: Figure,
  seen: readonly SeenFrame[],
  { lens, fps, guesses = [], steps = 200 }: FitOptions,
): Promise<BodyFit> {
  const observations = observationsOf(figure, seen)
  const start =
    startOfGuesses(figure, guesses) ??
    (hasTrunk(figure, observations)
      ? startOfPoints(figure, observations, fps)
      : await startOfPictures(runtime, figure, observations, lens))
  const place = placesOf(figure, observations, start, lens)
  const data = lossData(observations, start.turns, place, { lens, fps })
  const shape = new Float32Array(figure.shapes)
  const first = await descend(runtime, figure, data, { pose: start.pose, place, shape }, Math.ceil(steps / 2))
  const better = { ...data, widths: widthsOf(figure, data, first) }
  const descent = await descend(runtime, figure, better, first, steps)
  // Trust is told in usual widths.
  return resultOf(figure, observations, start.turns, { ...descent, apart: first.apart })
}

function resultOf(
  figure: Figure,
  observations: Observations,
  turns: readonly Quaternion[],
  { pose, shape, apart, nodes }: Descent,
): BodyFit {
  const width = figure.rest.length
  const own = pose.slice()
  for (let t = 0; t < turns.length; t++) own.fill(0, t * width, t * width + 3)
  return {
    figure,
    turns: turns.map((turn, t) => multiply(turn, fromAxisAngle(vectorAt(pose, (t * width) / 3)))),
    pose: own,
    shape,
    nodes,
    confidence: confidenceOf(figure, observations, apart),
  }
}

// Of the points of a body that detectors may see about so many are.
const usuallySeen = 14

/** Much seen and near to it: 1. Nothing seen: 0. */
function confidenceOf({ names }: Figure, { frames, pixelTrust, pointTrust }: Observations, apart: Float32Array) {
  return Float32Array.from({ length: frames }, (_, t) => {
    const total = (trust: Float32Array) =>
      trust.subarray(t * names.length, (t + 1) * names.length).reduce((a, b) => a + b, 0)
    const seen = total(pixelTrust)
    if (seen === 0) return 0
    const each = apart[t] / (seen + total(pointTrust))
    return Math.min(1, seen / usuallySeen) / (1 + each / 4)
  })
}
