// The frames of a video as files: a folder of pictures, or one picture.

import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { reasonOf } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { readPicture } from './decode.js'
import type { Picture } from './picture.js'

const { compare } = new Intl.Collator('en', { numeric: true })
const videos = ['.mp4', '.m4v', '.mov', '.webm', '.mkv', '.avi', '.gif', '.apng']
const mostFrames = 1024
// Of all frames together: 1 GiB as RGB.
const mostPixels = 2 ** 30 / 3

/** Orders names of frames: numbers in them count as numbers, so that 2.png comes before 10.png. */
export function byNumber(a: string, b: string): number {
  // Names that differ in leading zeros alone are alike to `compare`.
  return compare(a, b) || (a < b ? -1 : 1)
}

/**
 * The frames in a folder, PNG or JPEG, in the order of their names, where numbers count as numbers; or the one picture
 * that the path names. Other files in the folder are ignored, as is `sheet.png`, which videos are written with.
 *
 * @throws FileError where there is none or too much, for a video in one file, and what `readPicture` throws
 */
export async function readFrames(path: string): Promise<Picture[]> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new FileError({ where: path, what: 'the frames cannot be read', got: reasonOf(cause) }, { cause })
  })
  if (!facts.isDirectory()) {
    if (videos.includes(extname(path).toLowerCase()))
      throw new FileError({
        where: path,
        what: 'a video in one file is not decoded',
        expected: 'a folder of its frames, or a picture',
        hint: `ffmpeg -i ${JSON.stringify(path)} frames/%04d.png`,
      })
    return [await readPicture(path)]
  }
  const entries = await readdir(path)
  const names = entries.filter(name => /\.(png|jpe?g)$/i.test(name) && name !== 'sheet.png').sort(byNumber)
  if (names.length === 0 || names.length > mostFrames)
    throw new FileError({
      where: path,
      what: 'not the frames of a video',
      expected: `1..${mostFrames} PNG or JPEG files`,
      got: String(names.length),
    })
  const frames: Picture[] = []
  let pixels = 0
  for (const name of names) {
    const frame = await readPicture(join(path, name))
    pixels += frame.width * frame.height
    if (pixels > mostPixels)
      throw new FileError({
        where: join(path, name),
        what: 'frames too large to be held together',
        hint: 'fewer or smaller ones',
      })
    frames.push(frame)
  }
  return frames
}
