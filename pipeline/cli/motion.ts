// `revision motion`: motion files looked at, converted and made.

import { extname } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { motionStrength } from '../../models/pppm/strength.js'
import type { EntityMotion } from '../../models/pppm/encoding.js'
import { Generator, UsageError } from '../../tensor/index.js'
import { generatedKinds, generateMotion, type GeneratedKind } from '../../train/motion/generate.js'
import { motionFps } from '../../train/motion/motion.js'
import { readMotion } from '../../train/motion/read.js'
import { personOf, readScene, sceneFrames, writeScene } from '../../train/motion/scene-file.js'
import { writePng } from '../media/encode.js'
import { writeGif } from '../media/gif.js'
import { contactSheet } from '../media/sheet.js'
import { drawScene } from '../render/figures.js'
import { jsonText } from './json.js'

interface MotionArguments {
  file: string
  fps?: number
}

const mostFrames = 4096
const sheetPictures = 12
// Of a picture of a GIF or of a sheet, pixels.
const side = 320

const fps = {
  type: 'number',
  requiresArg: true,
  describe: 'Frames a second of the capture, where the file is wrong about it',
} as const

const input = (program: Argv) =>
  program
    .positional('file', { type: 'string', demandOption: true, describe: '.bvh, .amc, .txt, .csv or .npz' })
    .options({ fps })

const out = (describe: string) => ({ type: 'string', demandOption: true, requiresArg: true, describe }) as const

const showCommand: CommandModule<object, MotionArguments & { out: string }> = {
  command: 'show <file>',
  describe: 'Draw a motion',
  builder: program => input(program).options({ out: out('.gif, or .png for one sheet') }) as never,
  handler: show,
}

const convertCommand: CommandModule<object, MotionArguments & { out: string }> = {
  command: 'convert <file>',
  describe: 'Write a motion as a motion file',
  builder: program => input(program).options({ out: out('The .npz to write') }) as never,
  handler: async ({ out, ...args }) => write(out, await readEntities(args)),
}

const infoCommand: CommandModule<object, MotionArguments & { json?: boolean }> = {
  command: 'info <file>',
  describe: 'Tell what is in a motion file',
  builder: program => input(program).options({ json: { type: 'boolean', describe: 'Print one JSON object' } }) as never,
  handler: async ({ json, ...args }) => {
    const entities = await readEntities(args)
    const frames = sceneFrames(entities)
    const seconds = frames / motionFps
    const list = entities.map(entity => ({ kind: entity.kind, strength: motionStrength(entity) }))
    if (json) return console.log(jsonText({ file: args.file, frames, fps: motionFps, seconds, entities: list }))
    console.log(`${frames} frames, ${seconds.toFixed(2)} s at ${motionFps} a second`)
    for (const { kind, strength } of list) console.log(`  ${kind}, motion strength ${strength.toFixed(2)}`)
  },
}

const generateCommand: CommandModule<object, { kind: GeneratedKind; seed: number; frames: number; out: string }> = {
  command: 'generate',
  describe: 'Make up an object or an animal in motion',
  builder: program =>
    program.options({
      kind: { choices: generatedKinds, demandOption: true, requiresArg: true, describe: 'What happens' },
      seed: { type: 'number', default: 0, requiresArg: true, describe: 'Which one of them' },
      frames: { type: 'number', default: 90, requiresArg: true, describe: `How many, at ${motionFps} a second` },
      out: out('The .npz to write'),
    }) as never,
  handler: async ({ kind, seed, frames, out }) => {
    checkInteger('--frames', frames, 1, mostFrames)
    checkInteger('--seed', seed, 0, 2 ** 31 - 1)
    await write(out, [generateMotion(kind, frames, new Generator(seed))])
  },
}

export const motionCommand: CommandModule = {
  command: 'motion <command>',
  describe: 'Look at motions, convert and make them',
  builder: program =>
    program
      .command(showCommand)
      .command(convertCommand)
      .command(infoCommand)
      .command(generateCommand)
      .demandCommand(1) as never,
  handler: () => {},
}

/** Reads any motion file; `fps` corrects its rate. Throws a FileError on any flaw, a UsageError for a bad rate. */
export async function readEntities({ file, fps }: MotionArguments): Promise<EntityMotion[]> {
  if (fps !== undefined && !(fps >= 1 && fps <= 1000))
    throw new UsageError({ where: '--fps', what: 'out of range', expected: '1..1000', got: String(fps) })
  if (extname(file).toLowerCase() !== '.npz') return [personOf(await readMotion(file, { fps }))]
  if (fps !== undefined) throw new UsageError({ where: '--fps', what: 'means nothing to a .npz, which tells its own' })
  return readScene(file)
}

/** Throws a UsageError for a name that says that it is not a motion file of ours; `where` names the argument. */
export function checkMotionName(where: string, path: string): void {
  if (extname(path).toLowerCase() === '.npz') return
  throw new UsageError({ where, what: 'not a motion file by its name', expected: '.npz', got: path })
}

async function write(path: string, entities: readonly EntityMotion[]): Promise<void> {
  checkMotionName('--out', path)
  await writeScene(path, entities)
  console.log(path)
}

async function show({ out, ...args }: MotionArguments & { out: string }): Promise<void> {
  const extension = extname(out).toLowerCase()
  if (extension !== '.gif' && extension !== '.png')
    throw new UsageError({ where: '--out', what: 'no picture by its name', expected: '.gif or .png', got: extension })
  const entities = await readEntities(args)
  const frames = sceneFrames(entities)
  // GIFs show every other frame of what is not too long; a sheet shows frames from first to last.
  const count = extension === '.gif' ? Math.min(300, Math.ceil(frames / 2)) : Math.min(sheetPictures, frames)
  const at = (i: number) => (extension === '.gif' ? 2 * i : Math.round((i * (frames - 1)) / Math.max(1, count - 1)))
  const pictures = drawScene(
    entities,
    Array.from({ length: count }, (_, i) => at(i)),
    side,
  )
  if (extension === '.gif') await writeGif(out, pictures, motionFps / 2)
  else await writePng(out, contactSheet(pictures))
  console.log(out)
}

function checkInteger(where: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new UsageError({ where, what: 'out of range', expected: `${least}..${most}`, got: String(value) })
}
