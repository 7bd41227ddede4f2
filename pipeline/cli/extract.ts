// `revision extract`: who and what frames show, in 3D.

import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { isThere } from '../../models/checkpoint.js'
import { quadrupedJointNames } from '../../models/body/quadruped-skeleton.js'
import { openHuman } from '../../models/body/open-human.js'
import { openQuadruped } from '../../models/body/open-quadruped.js'
import { readBodyFile } from '../../models/body/read-body.js'
import { vectorAt } from '../../models/body/quaternion.js'
import { bodyJointNames } from '../../models/body/skeleton.js'
import { quote } from '../../tensor/files/quote.js'
import { UsageError } from '../../tensor/index.js'
import { sceneLabels } from '../control/scene-masks.js'
import { onnxDetectorFile } from '../extract/onnx/folder.js'
import { openExtractor, type OpenExtractorOptions } from '../extract/open-extractor.js'
import { writePng } from '../media/encode.js'
import { readFrames } from '../media/frames.js'
import { OutputFolder } from '../media/output.js'
import type { Picture } from '../media/picture.js'
import { contactSheet } from '../media/sheet.js'
import { project } from '../render/camera.js'
import { drawFigure } from '../render/figures.js'
import { drawOverlay } from '../render/overlay.js'
import { entityPoints, restOf } from '../scene/entity-points.js'
import type { Scene, SceneEntity } from '../scene/scene.js'
import { sceneFileOf, writeSceneFile } from '../scene/scene-file.js'
import { shipped } from '../shipped.js'
import { jsonText } from './json.js'
import { refuseEmpty } from './mistakes.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'
import { StatusLine } from './status-line.js'
import { StopSignals } from './stop.js'

interface ExtractArguments extends RuntimeArguments {
  frames: string
  out: string
  detector: string
  depth?: string
  body?: string
  fps: number
  json?: boolean
}

const sheetPictures = 12

export const extractCommand: CommandModule<object, ExtractArguments> = {
  command: 'extract <frames>',
  describe: 'Find out who and what a video shows, in 3D',
  builder: program =>
    program
      .positional('frames', {
        type: 'string',
        demandOption: true,
        describe: 'Folder of PNG or JPEG frames, or a picture',
      })
      .options({
        out: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder for the scene and overlays' },
        detector: {
          type: 'string',
          default: 'human-models',
          requiresArg: true,
          describe:
            'What finds people and things: human-models (`revision setup extract`), pocket, or a folder of ONNX networks or a part extractor',
        },
        depth: { type: 'string', requiresArg: true, describe: 'Folder of a depth model, for the places of things' },
        body: { type: 'string', requiresArg: true, describe: 'A file of SMPL-X, for people. Default: the open body' },
        fps: { type: 'number', requiresArg: true, default: 7, describe: 'Frames a second' },
        json: { type: 'boolean', describe: 'Print the joints of every frame, as one JSON object' },
        ...runtimeOptions,
      })
      .example('$0 extract video --out scene --json', '') as never,
  handler: run,
}

async function run(args: ExtractArguments): Promise<void> {
  refuseEmpty(args, 'frames', 'out', 'detector', 'depth', 'body')
  const { frames: path, out, detector, depth, body, fps, json, ...where } = args
  if (!(fps >= 1 && fps <= 240))
    throw new UsageError({ where: '--fps', what: 'out of range', expected: '1..240', got: String(fps) })
  const frames = await readFrames(path)
  const human = body === undefined ? openHuman() : await readBodyFile(body)
  using overlays = await OutputFolder.create(join(out, 'overlays'))
  using stop = new StopSignals()
  const runtime = await openFor(where)
  const status = new StatusLine()
  try {
    using extractor = await openExtractor(runtime, { ...(await detectorOf(detector)), depth, human })
    const leftOut: LeftOut[] = []
    const scene = await extractor.extract(frames, {
      fps,
      signal: stop.signal,
      onLeftOut: ({ id, name, detections }, why) =>
        leftOut.push({ id, name, frames: detections.filter(Boolean).length, why }),
      onProgress: (step, done) => status.change(`${step} ${Math.round(100 * done)} %`),
    })
    status.end()
    const shapes = scene.entities.map(({ kind, shape }) =>
      kind === 'object' ? undefined : restOf(kind === 'human' ? human : openQuadruped(), shape),
    )
    const masks = await sceneLabels(runtime, scene, { human })
    const pictures = draw({ ...scene, masks }, frames, shapes)
    for (const [i, picture] of pictures.entries()) await overlays.writeFrame(i, picture)
    stop.ignore()
    await writeSceneFile(out, { ...scene, masks })
    await overlays.commit()
    const every = Math.max(1, Math.ceil(pictures.length / sheetPictures))
    await writePng(join(out, 'sheet.png'), contactSheet(pictures.filter((_, i) => i % every === 0)))
    if (json) console.log(jsonText({ ...jointsOf(scene, out, shapes), leftOut }))
    else tell(scene, out, detector, leftOut)
  } finally {
    status.end()
    await runtime.close()
  }
}

/** Who or what was found and is not in the scene: in how many frames, and why. */
interface LeftOut {
  readonly id: string
  readonly name: string
  readonly frames: number
  readonly why: string
}

/** What --detector means: the one that is installed, or a folder of ONNX networks, or one of a part extractor. */
async function detectorOf(name: string): Promise<Pick<OpenExtractorOptions, 'parts' | 'onnx'>> {
  if (name === 'human-models') return {}
  if (name === 'pocket') return { parts: join(shipped.pocket, 'extractor') }
  if (await isThere(join(name, onnxDetectorFile))) return { onnx: name }
  if (await isThere(join(name, 'config.json'))) return { parts: name }
  throw new UsageError({
    where: '--detector',
    what: 'no such detector',
    expected: `human-models, pocket, or a folder with ${onnxDetectorFile} or a part extractor's config.json`,
    got: quote(name),
  })
}

function tell({ entities, depth, frames }: Scene, out: string, detector: string, leftOut: readonly LeftOut[]): void {
  if (entities.length === 0)
    console.log(`${detector} found nobody and nothing to place in ${counted(frames)}: the scene is empty`)
  for (const { id, name, frames: seen, why } of leftOut)
    console.log(`left out: ${id}: ${name}, seen in ${seen} of ${counted(frames)}: ${why}`)
  for (const { id, name, confidence } of entities) {
    const mean = confidence.reduce((a, b) => a + b, 0) / confidence.length
    console.log(`${id}: ${name}, confidence ${mean.toFixed(2)}`)
  }
  console.log(`depth by ${depth}`)
  console.log(sceneFileOf(out))
}

function counted(frames: number): string {
  return frames === 1 ? '1 frame' : `${frames} frames`
}

/** The frames with the parts and the joints of everybody over them. */
function draw(
  { masks, entities, camera }: Scene & Required<Pick<Scene, 'masks'>>,
  frames: readonly Picture[],
  rests: readonly (Float32Array | undefined)[],
): Picture[] {
  return frames.map((frame, t) => {
    const picture = drawOverlay(frame, masks[t])
    entities.forEach(({ motion }, i) => drawFigure(picture, camera, motion, t, entityPoints(motion, t, rests[i])))
    return picture
  })
}

/** Joints of bodies and points of objects, in space and in the pictures. */
function jointsOf(scene: Scene, out: string, rests: readonly (Float32Array | undefined)[]): object {
  const { width, height, fps, camera, depth, entities } = scene
  const frames = Array.from({ length: scene.frames }, (_, t) => ({
    entities: entities.map(({ id, motion, confidence }, i) => {
      const points = entityPoints(motion, t, rests[i])
      const names = namesOf(motion.kind, points.length / 3)
      const places = names.map((name, point) => {
        const world = vectorAt(points, point)
        const [x, y, depth] = project(camera, world)
        // What is behind the camera is at no pixel.
        return [name, { world: world.map(rounded), pixel: depth > 0 ? [rounded(x), rounded(y)] : null }] as const
      })
      return { id, confidence: rounded(confidence[t]), joints: Object.fromEntries(places) }
    }),
  }))
  const list = entities.map(({ id, kind, name }: SceneEntity) => ({ id, kind, name }))
  return { scene: sceneFileOf(out), width, height, fps, depth, camera, entities: list, frames }
}

function namesOf(kind: SceneEntity['kind'], points: number): readonly string[] {
  if (kind === 'object') return Array.from({ length: points }, (_, i) => String(i))
  return kind === 'human' ? bodyJointNames : quadrupedJointNames
}

/** Four decimals are more than anybody can see. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
