// `npm run bench -- --fit MOTIONS`: how near fitted bodies are to the truth, on rendered scenes whose truth is known.
// The motions are those of people in a folder, which the fit never saw, and made-up gaits of animals.

import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { openRuntime } from '../kernels/index.js'
import { openHuman, openQuadruped } from '../models/index.js'
import { numbersOf, type EntityMotion } from '../models/pppm/encoding.js'
import { figureOf, type Figure } from '../pipeline/extract/fit/figure.js'
import { fitBody } from '../pipeline/extract/fit/fit.js'
import { drawParts, jointError, maskOverlap, poseEntity, sightOf } from '../pipeline/extract/fit/measure.js'
import { nodeOf } from '../pipeline/extract/fit/names.js'
import { cameraOf, entityOf, meanOf } from '../pipeline/extract/fit/place.js'
import { animalKeypoints } from '../pipeline/extract/keypoints.js'
import { vectorAt } from '../models/body/quaternion.js'
import { orbit, type Camera } from '../pipeline/render/camera.js'
import { systemError } from '../tensor/files/system-error.js'
import { FileError, Generator, UsageError, type Runtime } from '../tensor/index.js'
import { generateMotion } from '../train/motion/generate.js'
import { motionExtensions, readMotion } from '../train/motion/read.js'
import { personOf } from '../train/motion/scene-file.js'
import { runProgram } from './program.js'

const side = 512
const stride = 4
const fps = 30 / stride
const views = [
  { yaw: 0.4, pitch: 0.1, distance: 4.5 },
  { yaw: 2.2, pitch: 0.3, distance: 4 },
  { yaw: -1.3, pitch: 0, distance: 5 },
]

interface Condition {
  readonly name: string
  readonly noise: number
  readonly missing: number
  readonly depth: boolean
  /** Nodes that are seen; default: all. */
  readonly nodes?: ReadonlySet<string>
}

const points: readonly Condition[] = [
  { name: 'points in pictures and space, exact', noise: 0, missing: 0, depth: true },
  { name: 'points in pictures and space, off by 5 pixels, 20 % missing', noise: 5, missing: 0.2, depth: true },
  { name: 'points in pictures alone, exact', noise: 0, missing: 0, depth: false },
]
const ofAnimals: readonly Condition[] = [
  {
    name: "AP-10K's points in pictures alone, exact",
    noise: 0,
    missing: 0,
    depth: false,
    nodes: new Set(animalKeypoints.map(name => nodeOf('animal', name))),
  },
]

/** What came of a scene in a condition. */
interface Score {
  readonly metres: number
  readonly overlap: number
  readonly seconds: number
}

async function score(
  runtime: Runtime,
  figure: Figure,
  motion: EntityMotion,
  view: (typeof views)[number],
  { nodes, ...sight }: Condition,
  seed: number,
): Promise<Score> {
  const random = new Generator(seed)
  const shape = new Float32Array(figure.data.shapes)
  shape.set(random.randn(figure.kind === 'human' ? 10 : 9))
  const truth = await poseEntity(runtime, figure, { kind: figure.kind, motion, shape })
  const frames = motion.numbers.length / numbersOf(figure.kind)
  const each = truth.joints.length / frames
  const target = meanOf(Array.from({ length: frames }, (_, t) => vectorAt(truth.joints, (t * each) / 3)))
  const camera = orbit(target, view, { width: side, height: side, focal: 1.3 * side })
  const seen = sightOf(figure, truth, { camera, random, ...sight }).map(frame =>
    Object.fromEntries(Object.entries(frame).filter(([name]) => !nodes || nodes.has(name))),
  )
  const start = performance.now()
  const fit = await fitBody(runtime, figure, seen, { lens: camera, fps })
  const seconds = (performance.now() - start) / 1000
  const found = cameraOf([fit], camera)
  const posed = await poseEntity(runtime, figure, entityOf(fit, found, { id: 'body', name: figure.kind }))
  const masks = (vertices: Float32Array, from: Camera) =>
    Array.from({ length: frames }, (_, t) => {
      const size = vertices.length / frames
      return drawParts(figure, vertices.subarray(t * size, (t + 1) * size), from, { width: side, height: side })
    })
  const overlap = maskOverlap(masks(posed.vertices, found), masks(truth.vertices, camera))
  return { metres: jointError(fit, truth, camera), overlap, seconds }
}

/** So many motions of people out of a folder, spread over it, each cut to some frames. Throws a FileError if none is. */
async function peopleOf(folder: string, takes: number, frames: number): Promise<EntityMotion[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw systemError(folder, 'no folder of motions', cause)
  })
  const files = entries
    .filter(entry => entry.isFile() && (motionExtensions as readonly string[]).includes(extname(entry.name)))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
  const found: EntityMotion[] = []
  // In steps that share no factor with the number of files every file has its turn.
  const step = files.length % 37 === 0 ? 1 : 37
  for (let i = 0; i < files.length && found.length < takes; i++) {
    const file = files[(i * step) % files.length]
    const motion = await readMotion(file).catch(() => undefined)
    if (motion && motion.frames >= frames * stride) found.push(cut(personOf(motion), frames))
  }
  if (found.length === 0)
    throw new FileError({
      where: folder,
      what: 'no motion in it',
      expected: `one of ${frames * stride} frames or more`,
    })
  return found
}

/** Every fourth frame from the middle of a motion. */
function cut({ kind, numbers }: EntityMotion, frames: number): EntityMotion {
  const width = numbersOf(kind)
  const start = Math.floor((numbers.length / width - frames * stride) / 2)
  const rows = Array.from({ length: frames }, (_, t) => {
    const at = (start + t * stride) * width
    return [...numbers.subarray(at, at + width)]
  })
  return { kind, numbers: Float32Array.from(rows.flat()) }
}

interface FitOptions {
  readonly folder: string
  readonly takes: number
  readonly frames: number
  readonly json: boolean
}

const usage = `npm run bench -- --fit MOTIONS [options]
  --fit MOTIONS  a folder of motions of people
  --takes N      of them, spread over the folder (default: 8)
  --frames N     of each scene (default: 16)
  --json         print an object a line`

/** What is asked; nothing if that is help. Throws a UsageError for what cannot be. */
function readOptions(): FitOptions | undefined {
  const { values } = parseArgs({
    options: {
      fit: { type: 'string' },
      takes: { type: 'string', default: '8' },
      frames: { type: 'string', default: '16' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const [takes, frames] = [values.takes, values.frames].map(Number)
  const isCount = (n: number) => Number.isInteger(n) && n >= 1 && n <= 1000
  if (!values.fit || !isCount(takes) || !isCount(frames))
    throw new UsageError({
      where: 'arguments',
      what: 'cannot be used',
      expected: '--fit MOTIONS, up to 1000 takes and frames',
      hint: '--help',
    })
  return { folder: values.fit, takes, frames, json: values.json }
}

async function measure(runtime: Runtime, { folder, takes, frames, json }: FitOptions): Promise<void> {
  const people = await peopleOf(folder, takes, frames)
  const gaits = (['walk', 'trot', 'gallop'] as const).map(gait =>
    cut(generateMotion(gait, frames * stride, new Generator(7)), frames),
  )
  const jobs = [
    { what: 'people', figure: figureOf(openHuman()), motions: people, conditions: points },
    { what: 'animals', figure: figureOf(openQuadruped()), motions: gaits, conditions: ofAnimals },
  ]
  for (const { what, figure, motions, conditions } of jobs)
    for (const condition of conditions) {
      const scores: Score[] = []
      for (const [i, motion] of motions.entries())
        for (const view of views) scores.push(await score(runtime, figure, motion, view, condition, i))
      const mean = (of: (score: Score) => number) => scores.reduce((sum, s) => sum + of(s), 0) / scores.length
      const told = {
        what,
        condition: condition.name,
        scenes: scores.length,
        millimetres: 1000 * mean(({ metres }) => metres),
        worst: 1000 * Math.max(...scores.map(({ metres }) => metres)),
        overlap: mean(({ overlap }) => overlap),
        seconds: mean(({ seconds }) => seconds),
      }
      if (json) console.log(JSON.stringify(told))
      else
        console.log(
          `${what}, ${condition.name}: ${told.millimetres.toFixed(1)} mm (worst ${told.worst.toFixed(1)}), ` +
            `IoU of parts ${told.overlap.toFixed(3)}, ${told.seconds.toFixed(1)} s for ${frames} frames, ${scores.length} scenes`,
        )
    }
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) return console.log(usage)
  const runtime = await openRuntime()
  try {
    await measure(runtime, options)
  } finally {
    await runtime.close()
  }
}

await runProgram(main)
