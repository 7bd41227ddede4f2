// `revision depth`: how near everything in a picture is.

import { extname } from 'node:path'
import type { CommandModule } from 'yargs'
import { DepthNetwork, type DepthMap } from '../../models/depth/depth-network.js'
import { checkPatches, depthSize } from '../../models/depth/preprocess.js'
import { writeNpy } from '../../tensor/files/index.js'
import { UsageError } from '../../tensor/index.js'
import { readPicture } from '../media/decode.js'
import { writePng } from '../media/encode.js'
import type { Picture } from '../media/picture.js'
import { openFor, runtimeOptions, type RuntimeArguments } from './options.js'

interface DepthArguments extends RuntimeArguments {
  picture: string
  model: string
  out: string
  npy?: string
  size?: number
}

export const depthCommand: CommandModule<object, DepthArguments> = {
  command: 'depth <picture>',
  describe: 'Estimate the depth of a picture',
  builder: program =>
    program
      .positional('picture', { type: 'string', describe: 'A PNG or JPEG file' })
      .options({
        model: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder of a depth model' },
        out: {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'Picture to write, .png: nearer is brighter',
        },
        npy: { type: 'string', requiresArg: true, describe: 'Array of relative inverse depth to write, .npy' },
        size: { type: 'number', requiresArg: true, describe: "Shorter side to look at, pixels. Default: the model's" },
        ...runtimeOptions,
      })
      .example('$0 depth photo.png --model depth-anything-v2-small --out depth.png', '') as never,
  handler: run,
}

async function run({ picture: path, model, out, npy, size, ...where }: DepthArguments): Promise<void> {
  checkEnding('out', out, '.png')
  if (npy !== undefined) checkEnding('npy', npy, '.npy')
  const picture = await readPicture(path)
  if (size !== undefined) checkPatches(depthSize(picture, size)) // before a device is opened
  const runtime = await openFor(where)
  try {
    using network = await DepthNetwork.open(runtime, model)
    const depth = await network.estimate(picture, { shortSide: size })
    await writePng(out, depthPicture(depth))
    if (npy !== undefined) await writeNpy(npy, { data: depth.data, shape: [depth.height, depth.width], dtype: 'f32' })
  } finally {
    await runtime.close()
  }
  for (const written of [out, npy]) if (written !== undefined) console.log(written)
}

function checkEnding(option: string, path: string, ending: string): void {
  if (extname(path).toLowerCase() !== ending)
    throw new UsageError({
      where: `--${option}`,
      what: 'another kind of file',
      expected: `a name in ${ending}`,
      got: path,
    })
}

/** Grey values from the farthest, black, to the nearest, white. */
function depthPicture({ width, height, data }: DepthMap): Picture {
  let [least, most] = [Infinity, -Infinity]
  for (const value of data) [least, most] = [Math.min(least, value), Math.max(most, value)]
  const scale = most > least ? 255 / (most - least) : 0
  const grey = new Uint8Array(3 * data.length)
  for (let i = 0; i < data.length; i++) grey.fill(Math.round((data[i] - least) * scale), 3 * i, 3 * i + 3)
  return { width, height, data: grey } // [height, width, 3]
}
