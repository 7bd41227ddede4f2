// Comma-separated rotation vectors: a line for each frame, the root's position and 38 joints, as a well-known excerpt
// of the CMU database is distributed. The files hold no skeleton; this is the one they were made with (offsets as in
// the data's usual readers, for example una-dinosauria/human-motion-prediction). Its first line is the pose at rest,
// and no frame. Rotation vectors are those of row vectors, so they turn the other way here.

import { fromAxisAngle, inverse, vectorAt, type Quaternion } from '../../models/body/quaternion.js'
import { quote } from '../../tensor/files/quote.js'
import { FileError } from '../../tensor/index.js'
import { checkCount, isPlausible, motionLimits, type SourceMotion, type SourcePose } from './source.js'

/** Metres in the skeleton's unit. */
const unit = 0.0254 / 0.45
const framesPerSecond = 120

type Joint = readonly [name: string, parent: number, x: number, y: number, z: number]

// Offsets from the parent.
const joints: readonly Joint[] = [
  ['hips', -1, 0, 0, 0],
  ['lhipjoint', 0, 0, 0, 0],
  ['lfemur', 1, 1.65674, -1.80282, 0.62477],
  ['ltibia', 2, 2.5972, -7.13576, 0],
  ['lfoot', 3, 2.49236, -6.8477, 0],
  ['ltoes', 4, 0.19704, -0.54136, 2.14581],
  ['ltoes_end', 5, 0, 0, 1.11249],
  ['rhipjoint', 0, 0, 0, 0],
  ['rfemur', 7, -1.6107, -1.80282, 0.62476],
  ['rtibia', 8, -2.59502, -7.12977, 0],
  ['rfoot', 9, -2.4678, -6.78024, 0],
  ['rtoes', 10, -0.23024, -0.63258, 2.13368],
  ['rtoes_end', 11, 0, 0, 1.11569],
  ['lowerback', 0, 0, 0, 0],
  ['upperback', 13, 0.01961, 2.0545, -0.14112],
  ['thorax', 14, 0.01021, 2.06436, -0.05921],
  ['lowerneck', 15, 0, 0, 0],
  ['upperneck', 16, 0.00713, 1.56711, 0.14968],
  ['head', 17, 0.03429, 1.56041, -0.10006],
  ['head_end', 18, 0.01305, 1.6256, -0.05265],
  ['lclavicle', 15, 0, 0, 0],
  ['lhumerus', 20, 3.54205, 0.90436, -0.17364],
  ['lradius', 21, 4.86513, 0, 0],
  ['lwrist', 22, 3.35554, 0, 0],
  ['lhand', 23, 0, 0, 0],
  ['lfingers', 24, 0.66117, 0, 0],
  ['lfingers_end', 25, 0.53306, 0, 0],
  ['lthumb', 23, 0, 0, 0],
  ['lthumb_end', 27, 0.5412, 0, 0.5412],
  ['rclavicle', 15, 0, 0, 0],
  ['rhumerus', 29, -3.49802, 0.75994, -0.32616],
  ['rradius', 30, -5.02649, 0, 0],
  ['rwrist', 31, -3.36431, 0, 0],
  ['rhand', 32, 0, 0, 0],
  ['rfingers', 33, -0.73041, 0, 0],
  ['rfingers_end', 34, -0.58887, 0, 0],
  ['rthumb', 32, 0, 0, 0],
  ['rthumb_end', 36, -0.59786, 0, 0.59786],
]

const columns = 3 + 3 * joints.length

/** Reads such a file's text. Throws a FileError on any flaw. */
export function parseExpmap(where: string, text: string): SourceMotion {
  const rows = readRows(where, text).slice(1)
  checkCount(where, 'frames', rows.length, motionLimits.frames)
  const names = joints.map(([name]) => name)
  const parents = joints.map(([, parent]) => parent)
  const rest: number[] = []
  for (const [, parent, ...offset] of joints)
    rest.push(...offset.map((value, axis) => (parent < 0 ? 0 : rest[3 * parent + axis]) + value * unit))
  const pose = (frame: number): SourcePose => {
    const values = rows[frame]
    const turns = joints.map((_, joint): Quaternion => inverse(fromAxisAngle(vectorAt(values, 1 + joint))))
    return { rotations: turns.flat(), translation: vectorAt(values, 0).map(value => value * unit) }
  }
  return { names, parents, rest, fps: framesPerSecond, frames: rows.length, pose }
}

/** The numbers of every line that is not empty. */
function readRows(where: string, text: string): Float32Array[] {
  if (text.length > motionLimits.bytes)
    throw new FileError({ where, what: 'too long', expected: `${motionLimits.bytes}`, got: String(text.length) })
  const rows: Float32Array[] = []
  for (let start = 0, line = 1; start < text.length; line++) {
    const end = text.indexOf('\n', start)
    const words = text.slice(start, end < 0 ? text.length : end)
    start = end < 0 ? text.length : end + 1
    if (words.trim() === '') continue
    checkCount(where, 'lines', rows.length + 1, motionLimits.frames + 1)
    rows.push(Float32Array.from(numbers(`${where}: line ${line}`, words)))
  }
  return rows
}

function numbers(where: string, line: string): number[] {
  const words = line.split(',', columns + 1)
  if (words.length !== columns)
    throw new FileError({ where, what: 'bad number of columns', expected: String(columns), got: String(words.length) })
  return words.map(word => {
    const value = word.trim() === '' ? NaN : Number(word)
    if (!isPlausible(value)) throw new FileError({ where, what: 'not a number that can be', got: quote(word) })
    return value
  })
}
