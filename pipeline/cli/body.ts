// `revision body`: a body model in a pose, as a picture.

import { extname } from 'node:path'
import type { CommandModule } from 'yargs'
import { Body } from '../../models/body/body.js'
import type { BodyData } from '../../models/body/body-data.js'
import { openHuman } from '../../models/body/open-human.js'
import { openQuadruped } from '../../models/body/open-quadruped.js'
import { readBodyFile } from '../../models/body/read-body.js'
import { NodeFileSource, readNpy } from '../../tensor/files/index.js'
import { FileError, showShape, Tensor, toFloat32, UsageError, type Runtime } from '../../tensor/index.js'
import { poseNumbers } from '../../train/motion/motion.js'
import { readMotion } from '../../train/motion/read.js'
import { writePng } from '../media/encode.js'
import { drawBody } from '../render/draw-body.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'

interface BodyArguments extends RuntimeArguments {
  action: 'show'
  body: string
  pose?: string
  frame: number
  shape?: string
  labels?: boolean
  yaw: number
  size: number
  out: string
}

const mostSize = 4096

export const bodyCommand: CommandModule<object, BodyArguments> = {
  command: 'body <action>',
  describe: 'Draw a body model',
  builder: program =>
    program
      .positional('action', { choices: ['show'] as const, describe: 'show: in a pose, as a picture' })
      .options({
        body: {
          type: 'string',
          requiresArg: true,
          default: 'open',
          describe: 'open, quadruped, or a file of SMPL-X, SMPL or SMAL',
        },
        pose: {
          type: 'string',
          requiresArg: true,
          describe: 'A motion, or a .npy of rotation vectors. Default: at rest',
        },
        frame: { type: 'number', requiresArg: true, default: 0, describe: 'Which frame of the poses' },
        shape: { type: 'string', requiresArg: true, describe: 'Shape coefficients, such as 1,-2,0.5' },
        labels: { type: 'boolean', describe: 'Colour parts' },
        yaw: { type: 'number', requiresArg: true, default: 25, describe: 'Degrees to look from, 0 for the front' },
        size: { type: 'number', requiresArg: true, default: 768, describe: 'Height and width, pixels' },
        out: { type: 'string', demandOption: true, requiresArg: true, describe: 'Picture to write, .png' },
        ...runtimeOptions,
      })
      .example('$0 body show --shape 2,-1 --labels --out body.png', '') as never,
  handler: show,
}

async function show(args: BodyArguments): Promise<void> {
  const { yaw, size, labels, out } = args
  if (!(Number.isInteger(size) && size >= 16 && size <= mostSize))
    throw new UsageError({ where: '--size', what: 'cannot be used', expected: `16..${mostSize}`, got: String(size) })
  if (!Number.isFinite(yaw)) throw new UsageError({ where: '--yaw', what: 'is not a number' })
  const data = await bodyOf(args.body)
  const pose = await poseOf(args, data)
  const shape = shapeOf(args.shape, data)
  const runtime = await openFor(args)
  try {
    const vertices = await verticesOf(runtime, data, pose, shape)
    await writePng(out, drawBody(data, vertices, { size, yaw: (yaw * Math.PI) / 180, labels }))
  } finally {
    await runtime.close()
  }
}

async function bodyOf(name: string): Promise<BodyData> {
  if (name === 'open') return openHuman()
  if (name === 'quadruped') return openQuadruped()
  return readBodyFile(name)
}

/** One frame of what --pose names, radians. */
async function poseOf({ pose: path, frame }: BodyArguments, { parents }: BodyData): Promise<Float32Array> {
  const width = 3 * parents.length
  if (path === undefined) return new Float32Array(width)
  const { poses, frames } =
    extname(path).toLowerCase() === '.npy' ? await readPoses(path, width) : await readMotion(path)
  const given = poses.length / frames
  // SMPL's body is the beginning of SMPL-X's.
  if (given !== width && !(given === poseNumbers && parents.length === 24))
    throw new FileError({
      where: path,
      what: 'poses do not fit the body',
      expected: `${width} numbers`,
      got: String(given),
    })
  if (!(Number.isInteger(frame) && frame >= 0 && frame < frames))
    throw new UsageError({
      where: '--frame',
      what: 'there is no such frame',
      expected: `0..${frames - 1}`,
      got: String(frame),
    })
  const row = poses.slice(frame * given, (frame + 1) * given)
  return given === width ? row : Float32Array.from({ length: width }, (_, i) => (i < 66 ? row[i] : 0))
}

async function readPoses(path: string, width: number): Promise<{ poses: Float32Array; frames: number }> {
  const { dtype, data, shape } = await readNpy(await NodeFileSource.open(path))
  const poses = toFloat32(dtype, data)
  if (shape.at(-1) !== width || poses.length === 0)
    throw new FileError({
      where: path,
      what: 'poses do not fit the body',
      expected: `[T, ${width}]`,
      got: showShape(shape),
    })
  if (!poses.every(Number.isFinite)) throw new FileError({ where: path, what: 'does not hold finite numbers' })
  return { poses, frames: poses.length / width }
}

function shapeOf(text: string | undefined, { shapes }: BodyData): Float32Array {
  const shape = new Float32Array(shapes)
  if (text === undefined) return shape
  const values = text.split(',').map(word => (word.trim() === '' ? NaN : Number(word)))
  const fits = values.length <= shapes && values.every(value => Number.isFinite(value) && Math.abs(value) <= 10)
  if (!fits)
    throw new UsageError({
      where: '--shape',
      what: 'cannot be used',
      expected: `at most ${shapes} numbers of -10..10`,
      got: text,
    })
  shape.set(values)
  return shape
}

async function verticesOf(
  runtime: Runtime,
  data: BodyData,
  pose: Float32Array,
  shape: Float32Array,
): Promise<Float32Array> {
  using body = new Body(runtime, data)
  using poses = Tensor.from(runtime, pose, [1, pose.length])
  using shapes = Tensor.from(runtime, shape, [1, shape.length])
  const { vertices, joints, shaped } = body.forward({ pose: poses, shape: shapes })
  try {
    return await vertices.floats()
  } finally {
    for (const tensor of [vertices, joints, shaped]) tensor.dispose()
  }
}
