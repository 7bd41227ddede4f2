// Clips to learn from: NumPy archives in a folder, each of the frames of a video and, if they are known, the part
// labels of every pixel.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { extname } from 'node:path'
import { labelCount, type LabelMap, type Picture } from '../../models/svd/picture.js'
import { NodeFileSource, NpzFile, reasonOf, type LoadedTensor } from '../../tensor/files/index.js'
import { FileError, showShape, type DType } from '../../tensor/index.js'

/** The frames of a clip that are taken, at the size that they have in the file. */
export interface Clip {
  readonly frames: readonly Picture[]
  /** One a frame. */
  readonly labels?: readonly LabelMap[]
  /** One a frame. */
  readonly people?: readonly ClipPeople[]
}

/** The joints of the people in a frame. */
export interface ClipPeople {
  readonly people: number
  /** Joints of each. */
  readonly joints: number
  /** [people x joints x 3]: x and y in pixels of the frame, and metres from the camera. */
  readonly places: Float32Array
  /** [people x joints]: not 0 where nothing is before a joint. */
  readonly visible: Uint8Array
}

const limits = { clips: 100_000, bytes: 2 ** 31, side: 4096, frames: 65_536, people: 64, joints: 64 }

/** Names of the clips in a folder, in order. Throws a FileError if there are none, or too many. */
export async function listClips(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FileError({ where: folder, what: 'no folder of clips', got: reasonOf(cause) }, { cause })
  })
  const names = entries
    .filter(entry => entry.isFile() && extname(entry.name).toLowerCase() === '.npz')
    .map(({ name }) => name)
    .sort()
  if (names.length === 0 || names.length > limits.clips)
    throw new FileError({
      where: folder,
      what: 'not a folder of clips',
      expected: `1..${limits.clips} files ending in .npz`,
      got: String(names.length),
    })
  return names
}

/** SHA-256 of a file's bytes, in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer)
  } catch (cause) {
    throw new FileError({ where: path, what: 'cannot be read', got: reasonOf(cause) }, { cause })
  }
  return hash.digest('hex')
}

/** Which frames of a clip are read. */
export interface ReadClipOptions {
  /** Default: all. */
  readonly frames?: number
  /** Of how many neighbours one is read. */
  readonly stride: number
  /** Where they begin: 0 at the clip's beginning, close to 1 as late as can be. Default: 0. */
  readonly start?: number
}

/**
 * Reads a clip: `frames` u8 [F,H,W,3] and, if they are there, `labels` u8 [F,H,W] and `joints` f32 [F,P,J,3] with
 * `visible` u8 [F,P,J], of which every `stride`-th frame is taken, so many of them or all. Throws a FileError on any
 * flaw, or if it is too short.
 */
export async function readClip(path: string, { frames: wanted, stride, start = 0 }: ReadClipOptions): Promise<Clip> {
  const source = await NodeFileSource.open(path)
  if (source.size > limits.bytes) {
    await source.close()
    throw new FileError({ where: path, what: 'too large', expected: `${limits.bytes} bytes`, got: String(source.size) })
  }
  const file = await NpzFile.open(source)
  try {
    const frames = await bytesOf(file, 'frames', 4)
    const [length, height, width, channels] = frames.shape
    const isSize = (n: number) => n >= 1 && n <= limits.side
    if (channels !== 3 || !isSize(height) || !isSize(width) || length > limits.frames)
      throw misfit(path, 'frames', `[F, H, W, 3], H and W 1..${limits.side}`, frames.shape)
    const count = wanted ?? Math.ceil(length / stride)
    const needed = (count - 1) * stride + 1
    if (length < needed || count < 1) throw misfit(path, 'frames', `at least ${needed} frames`, frames.shape)
    const first = Math.floor(start * (length - needed + 1))
    const taken = Array.from({ length: count }, (_, i) => first + i * stride)
    const picked = <C extends number>({ data }: LoadedTensor, channels: C) => {
      const size = height * width * channels
      return taken.map(i => ({ width, height, data: (data as Uint8Array).slice(i * size, (i + 1) * size) }))
    }
    const people = file.names.includes('joints') ? await readPeople(file, taken, length) : undefined
    if (!file.names.includes('labels')) return { frames: picked(frames, 3), people }
    const labels = await bytesOf(file, 'labels', 3)
    if (String(labels.shape) !== String([length, height, width]))
      throw misfit(path, 'labels', showShape([length, height, width]), labels.shape)
    const bad = labels.data.find(label => label >= labelCount)
    if (bad !== undefined)
      throw new FileError({
        where: path,
        what: 'labels hold what is no part',
        expected: `0..${labelCount - 1}`,
        got: String(bad),
      })
    return { frames: picked(frames, 3), labels: picked(labels, 1), people }
  } finally {
    await file.close()
  }
}

/** The people of some frames out of so many. */
async function readPeople(file: NpzFile, taken: readonly number[], length: number): Promise<ClipPeople[]> {
  const places = await arrayOf(file, 'joints', 'f32', 4)
  const [frames, people, joints, axes] = places.shape
  if (frames !== length || people > limits.people || joints > limits.joints || axes !== 3)
    throw misfit(file.name, 'joints', `[${length}, P, J, 3], P and J at most ${limits.people}`, places.shape)
  const visible = await bytesOf(file, 'visible', 3)
  const count = people * joints
  if (String(visible.shape) !== String([length, people, joints]))
    throw misfit(file.name, 'visible', showShape([length, people, joints]), visible.shape)
  const numbers = places.data as Float32Array
  if (!numbers.every(Number.isFinite))
    throw new FileError({ where: file.name, what: 'array joints holds numbers that are not finite' })
  return taken.map(frame => ({
    people,
    joints,
    places: numbers.slice(3 * frame * count, 3 * (frame + 1) * count),
    visible: (visible.data as Uint8Array).slice(frame * count, (frame + 1) * count),
  }))
}

const bytesOf = (file: NpzFile, name: string, rank: number) => arrayOf(file, name, 'u8', rank)

async function arrayOf(file: NpzFile, name: string, dtype: DType, rank: number): Promise<LoadedTensor> {
  const array = await file.read(name)
  if (array.dtype === dtype && array.shape.length === rank) return array
  throw new FileError({
    where: file.name,
    what: `array ${name} does not fit`,
    expected: `${dtype} of ${rank} axes`,
    got: `${array.dtype} ${showShape(array.shape)}`,
  })
}

function misfit(where: string, name: string, expected: string, shape: readonly number[]): FileError {
  return new FileError({ where, what: `array ${name} does not fit`, expected, got: showShape(shape) })
}
