// `revision masks`: part masks of a motion, a scene or a sketch, as label maps and over a picture.

import { stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { CommandModule } from 'yargs'
import { isThere } from '../../models/checkpoint.js'
import { isObject } from '../../models/config-reader.js'
import type { LabelMap, Picture } from '../../models/svd/picture.js'
import { resizeLanczos } from '../../models/svd/resize.js'
import { FileError, UsageError, type Runtime } from '../../tensor/index.js'
import { decodeUtf8 } from '../../tensor/files/json.js'
import { NodeFileSource } from '../../tensor/files/index.js'
import { motionFps } from '../../train/motion/motion.js'
import { readSketch, sketchLimits } from '../control/sketch-file.js'
import { sceneMasks } from '../control/scene-masks.js'
import { targetMask } from '../control/target-pose.js'
import { writeFileAtomically } from '../media/atomic.js'
import { readLabels, readPicture } from '../media/decode.js'
import { encodeLabels, writePng } from '../media/encode.js'
import { frameName, OutputFolder } from '../media/output.js'
import { contactSheet } from '../media/sheet.js'
import { drawLegend, drawOverlay, labelsIn, stacked } from '../render/overlay.js'
import { labelColours } from '../render/palette.js'
import { framesShown, sceneOfGiven, type GivenMotion } from '../revise/given.js'
import { motionAt, valuesAt } from '../revise/retime.js'
import { readSceneFile } from '../scene/scene-file.js'
import type { Scene } from '../scene/scene.js'
import { refuseEmpty } from './mistakes.js'
import { readEntities } from './motion.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'
import { StopSignals } from './stop.js'

interface MasksArguments extends RuntimeArguments {
  what: string
  image: string
  out: string
  frames?: number
  fps?: number
  width?: number
  height?: number
  first?: string
}

const mostFrames = 4096
const mostSide = 8192
const sheetPictures = 12
const defaultFps = 7

const number = (describe: string) => ({ type: 'number', requiresArg: true, describe }) as const

export const masksCommand: CommandModule<object, MasksArguments> = {
  command: 'masks <what>',
  describe: 'Draw part masks',
  builder: program =>
    program
      .positional('what', {
        type: 'string',
        demandOption: true,
        describe: 'A motion file, the folder or JSON file of a scene, or the JSON file of a sketch',
      })
      .options({
        image: { type: 'string', demandOption: true, requiresArg: true, describe: 'The picture to draw them over' },
        out: {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'Folder for masks/, overlays/, sheet.png',
        },
        frames: number('Of a motion: how many. Default: as many as it lasts'),
        fps: number(`Of a motion: how many a second. Default: ${defaultFps}`),
        width: number("Pixels. Default: the picture's, or the scene's"),
        height: number("Pixels. Default: the picture's, or the scene's"),
        first: {
          type: 'string',
          requiresArg: true,
          describe: 'Of a sketch: a PNG of the part labels of the first frame, which drags need',
        },
        ...runtimeOptions,
      })
      .example('$0 masks walk.npz --image photo.png --frames 25 --out masks', '') as never,
  handler: draw,
}

async function draw(args: MasksArguments): Promise<void> {
  refuseEmpty(args, 'what', 'image', 'out', 'first')
  const picture = await readPicture(args.image)
  if (!(await isThere(args.what)))
    throw new FileError({ where: args.what, what: 'there is no such motion, scene or sketch' })
  const text = await sketchText(args.what)
  if (text !== undefined) {
    refuse(args, ['frames', 'fps', 'runtime', 'adapter', 'threads'], 'a sketch')
    const sketch = readSketch(args.what, text)
    const first = args.first === undefined ? undefined : await readLabels(args.first)
    return write(args, picture, 1, sizeOf(args, picture), [targetMask(sketch, sizeOf(args, picture), { first }).labels])
  }
  refuse(args, ['first'], 'a motion or a scene')
  const scene = await sceneOf(args, picture)
  const runtime = await openFor(args)
  try {
    await write(args, picture, scene.frames, scene, labelsOf(runtime, scene))
  } finally {
    await runtime.close()
  }
}

async function* labelsOf(runtime: Runtime, scene: Scene): AsyncGenerator<LabelMap, void, undefined> {
  for await (const { labels } of sceneMasks(runtime, scene)) yield labels
}

/** The text of a sketch; nothing if the path names something else. */
async function sketchText(path: string): Promise<string | undefined> {
  if (extname(path).toLowerCase() !== '.json' || (await isFolder(path))) return undefined
  const file = await NodeFileSource.open(path)
  try {
    if (file.size > sketchLimits.bytes) return undefined
    const text = decodeUtf8(path, await file.read(0, file.size))
    try {
      const value: unknown = JSON.parse(text)
      return isObject(value) && 'camera' in value ? undefined : text
    } catch {
      return text
    }
  } finally {
    await file.close()
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}

function refuse(args: MasksArguments, names: readonly (keyof MasksArguments)[], what: string): void {
  const given = names.find(name => args[name] !== undefined)
  if (given) throw new UsageError({ where: `--${given}`, what: `means nothing to ${what}` })
}

function sizeOf({ width, height }: MasksArguments, given: { width: number; height: number }) {
  const size = { width: width ?? given.width, height: height ?? given.height }
  for (const [side, value] of Object.entries(size))
    if (!Number.isInteger(value) || value < 1 || value > mostSide)
      throw new UsageError({
        where: `--${side}`,
        what: 'cannot be used',
        expected: `1..${mostSide}`,
        got: String(value),
      })
  return size
}

async function sceneOf(args: MasksArguments, picture: Picture): Promise<Scene> {
  const { what, frames = mostFrames, fps = defaultFps } = args
  const isScene = extname(what).toLowerCase() === '.json' || (await isFolder(what))
  if (isScene) {
    refuse(args, ['frames', 'fps'], 'a scene, which has frames of its own')
    const scene = await readSceneFile(what)
    const size = sizeOf(args, scene)
    return size.width === scene.width && size.height === scene.height
      ? scene
      : { ...scene, ...size, camera: sceneOfGiven(scene, undefined, { ...size, frames: 1, fps: scene.fps }).camera }
  }
  if (!Number.isInteger(frames) || frames < 1 || frames > mostFrames)
    throw new UsageError({ where: '--frames', what: 'out of range', expected: `1..${mostFrames}`, got: String(frames) })
  if (!(fps >= 1 && fps <= 120))
    throw new UsageError({ where: '--fps', what: 'out of range', expected: '1..120', got: String(fps) })
  const given: GivenMotion = await readEntities({ file: what })
  const video = { ...sizeOf(args, picture), frames, fps }
  const shown = framesShown(given, video)
  if (args.frames !== undefined && shown < frames)
    throw new UsageError({
      where: '--frames',
      what: 'the motion is shorter',
      expected: `at most ${shown}`,
      got: String(frames),
    })
  const { entities, ...scene } = sceneOfGiven(given, undefined, video)
  const moments = Array.from({ length: shown }, (_, i) => (i * motionFps) / fps)
  return {
    ...scene,
    frames: shown,
    fps,
    entities: entities.map(entity => ({
      ...entity,
      motion: motionAt(entity.motion, moments),
      confidence: valuesAt(entity.confidence, moments),
    })),
  }
}

/** Writes label maps as they come, what they look like over the picture, and a sheet with a legend. */
async function write(
  { out }: MasksArguments,
  picture: Picture,
  count: number,
  { width, height }: { width: number; height: number },
  maps: Iterable<LabelMap> | AsyncIterable<LabelMap>,
): Promise<void> {
  const ground = resizeLanczos(picture, width, height)
  using masks = await OutputFolder.create(join(out, 'masks'))
  using overlays = await OutputFolder.create(join(out, 'overlays'))
  using stop = new StopSignals()
  const chosen = new Set(
    Array.from({ length: sheetPictures }, (_, i) => Math.round((i * (count - 1)) / (sheetPictures - 1))),
  )
  const shown: Picture[] = []
  const found = new Set<number>()
  let frame = 0
  for await (const labels of maps) {
    stop.signal.throwIfAborted()
    const overlay = drawOverlay(ground, labels)
    for (const label of labelsIn([labels])) found.add(label)
    await writeFileAtomically(masks.file(frameName(frame)), encodeLabels(labels, labelColours))
    await overlays.writeFrame(frame, overlay)
    if (chosen.has(frame)) shown.push(overlay)
    frame++
  }
  const sheet = contactSheet(shown)
  stop.ignore()
  await masks.commit()
  await overlays.commit()
  const legend = drawLegend(
    [...found].sort((a, b) => a - b),
    sheet.width,
  )
  await writePng(join(out, 'sheet.png'), stacked(sheet, legend))
  console.log(out)
}
