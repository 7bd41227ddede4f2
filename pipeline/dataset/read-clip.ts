// Rendered clips read back: what they show, and what is known of the people in them.

import { readClip, type Clip } from '../../train/svd/clips.js'
import { NodeFileSource, NpzFile, type LoadedTensor } from '../../tensor/files/index.js'
import { FileError, showShape } from '../../tensor/index.js'
import { motionFps } from '../../train/motion/motion.js'
import { bodyJoints } from '../../models/body/skeleton.js'
import type { LabelMap } from '../../models/svd/picture.js'

/** A clip that was rendered. */
export interface RenderedClip extends Pick<Clip, 'frames'> {
  readonly labels: readonly LabelMap[]
  /** Pictures a second. */
  readonly fps: number
  readonly people: number
  /** [F x P x 22 x 3]: joints in the picture, x and y in pixels and depth in metres; and [F x P x 22], 1 where one is seen. */
  readonly joints: Float32Array
  readonly visible: Uint8Array
}

// Motions of more people are not rendered.
const mostPeople = 64

/** Reads every `every`-th picture of a rendered clip. Throws a FileError on any flaw, or if it is too short. */
export async function readRenderedClip(path: string, frames: number, every = 1): Promise<RenderedClip> {
  const { labels, frames: pictures } = await readClip(path, { frames, stride: every })
  if (!labels) throw new FileError({ where: path, what: 'no rendered clip', expected: 'an array of labels' })
  const file = await NpzFile.open(await NodeFileSource.open(path))
  try {
    const stride = (await arrayOf(file, 'stride', 'i32', [1])).data[0]
    if (!(stride >= 1))
      throw new FileError({ where: path, what: 'bad stride', expected: '1 or more', got: `${stride}` })
    const known = { frames: pictures, labels, fps: motionFps / (stride * every) }
    if (!file.names.includes('joints'))
      return { ...known, people: 0, joints: new Float32Array(0), visible: new Uint8Array(0) }
    const joints = await arrayOf(file, 'joints', 'f32', [undefined, undefined, bodyJoints, 3])
    const [length, people] = joints.shape
    if (length <= (frames - 1) * every || people > mostPeople) throw misfit(file, 'joints', joints)
    const visible = await arrayOf(file, 'visible', 'u8', [length, people, bodyJoints])
    const taken = <T extends Float32Array | Uint8Array>(data: T, size: number): T =>
      data.filter((_, i) => Math.floor(i / size) % every === 0 && i < frames * every * size) as T
    return {
      ...known,
      people,
      joints: taken(joints.data as Float32Array, 3 * people * bodyJoints),
      visible: taken(visible.data as Uint8Array, people * bodyJoints),
    }
  } finally {
    await file.close()
  }
}

async function arrayOf(
  file: NpzFile,
  name: string,
  dtype: string,
  shape: readonly (number | undefined)[],
): Promise<LoadedTensor> {
  const array = await file.read(name)
  const fits = array.shape.length === shape.length && shape.every((n, i) => n === undefined || n === array.shape[i])
  if (array.dtype !== dtype || !fits) throw misfit(file, name, array)
  return array
}

function misfit({ name: where }: NpzFile, name: string, { dtype, shape }: LoadedTensor): FileError {
  return new FileError({ where, what: `array ${name} does not fit`, got: `${dtype} ${showShape(shape)}` })
}
