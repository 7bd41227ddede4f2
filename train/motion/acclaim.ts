// Acclaim's skeletons (.asf) and motions (.amc). A bone has a direction and a length in the rest pose, and axes of its
// own in which its turns are given: a turn M in axes C is C M C^-1 in those of the skeleton.
// Written after the format's description (Lander, "Working with Motion Capture File Formats", 1998).

import { aboutAxis, identity, inverse, multiply, type Quaternion } from '../../models/body/quaternion.js'
import { quote } from '../../tensor/files/quote.js'
import { FileError } from '../../tensor/index.js'
import { checkCount, motionLimits, type SourceMotion, type SourcePose } from './source.js'
import { Words } from './text.js'

// The files' unit of length is an inch, divided by the number that they give.
const inch = 0.0254
const degree = Math.PI / 180
// Their frames have no time of their own: the database was captured at this rate.
const framesPerSecond = 120

interface Bone {
  /** From its start to its end in the rest pose, in the file's unit. */
  readonly vector: readonly number[]
  readonly axes: Quaternion
  /** The angles that a motion gives, in their order. */
  readonly turns: readonly ('x' | 'y' | 'z')[]
}

/** A skeleton: bones by name, the root among them, with the names of their parents. */
export interface AcclaimSkeleton {
  readonly bones: ReadonlyMap<string, Bone>
  readonly parents: ReadonlyMap<string, string>
  /** Metres in a unit of length, and radians in one of angles. */
  readonly metres: number
  readonly radians: number
}

const root = 'root'

/** Reads a .asf file's text. Throws a FileError on any flaw. */
export function parseAcclaimSkeleton(where: string, text: string): AcclaimSkeleton {
  const words = new Words(where, text.replace(/#.*$/gm, '').replaceAll(/[()]/g, ' '))
  const bones = new Map<string, Bone>([[root, { vector: [0, 0, 0], axes: identity, turns: ['x', 'y', 'z'] }]])
  const parents = new Map<string, string>()
  let [metres, radians] = [inch, degree]
  while (words.next !== undefined) {
    const section = words.take('a section').toLowerCase()
    if (section === ':units') ({ metres, radians } = readUnits(words))
    else if (section === ':root') checkRoot(words)
    else if (section === ':bonedata') readBones(words, bones, radians)
    else if (section === ':hierarchy') readHierarchy(words, bones, parents)
    else if (!section.startsWith(':')) throw words.error('unexpected word', 'a section', quote(section))
    else while (words.next !== undefined && !words.next.startsWith(':')) words.take('the section')
  }
  if (bones.size === 1 || parents.size !== bones.size - 1)
    throw new FileError({
      where,
      what: 'bones and hierarchy do not fit',
      expected: `a parent for each of ${bones.size - 1} bones`,
      got: String(parents.size),
    })
  return { bones, parents, metres, radians }
}

function readUnits(words: Words): { metres: number; radians: number } {
  let [metres, radians] = [inch, degree]
  while (words.next !== undefined && !words.next.startsWith(':')) {
    const unit = words.take('a unit').toLowerCase()
    if (unit === 'length') {
      const length = words.number('a length')
      if (!(length > 1e-3 && length < 1e3)) throw words.error('bad unit of length', '0.001..1000', String(length))
      metres = inch / length
    } else if (unit === 'angle') radians = words.take('deg or rad').toLowerCase().startsWith('deg') ? degree : 1
    else words.take('a value')
  }
  return { metres, radians }
}

// What a root says of itself: its place first, then its turns about the skeleton's own axes, at rest in the middle.
const usualRoot: Readonly<Record<string, string>> = {
  order: 'tx ty tz rx ry rz',
  axis: 'xyz',
  position: '0 0 0',
  orientation: '0 0 0',
}

/** Throws a FileError for a root of another kind, which would be read wrongly. */
function checkRoot(words: Words): void {
  while (words.next !== undefined && !words.next.startsWith(':')) {
    const field = words.take('a field').toLowerCase()
    if (!Object.hasOwn(usualRoot, field)) throw words.error('unknown field', 'of the root', quote(field))
    for (const usual of usualRoot[field].split(' ')) {
      const got = words.take(usual).toLowerCase()
      if (got !== usual && Number(got) !== Number(usual)) throw words.error('unusual root', usual, quote(got))
    }
  }
}

function readBones(words: Words, bones: Map<string, Bone>, radians: number): void {
  while (words.next?.toLowerCase() === 'begin') {
    words.skip('begin')
    let [name, length] = ['', 0]
    let direction = [0, 0, 0]
    let axes = identity
    let turns: ('x' | 'y' | 'z')[] = []
    for (let field = words.take('a field'); field.toLowerCase() !== 'end'; field = words.take('a field')) {
      if (field === 'name') name = words.take('a name')
      else if (field === 'length') length = words.number('a length')
      else if (field === 'direction') direction = [0, 1, 2].map(() => words.number('a direction'))
      else if (field === 'axis') axes = readAxes(words, radians)
      else if (field === 'dof') turns = readTurns(words)
      else if (field === 'id') words.number('a number')
      else if (field === 'limits' || Number.isFinite(Number(field))) continue
      else if (!['bodymass', 'cofmass'].includes(field)) throw words.error('unknown field', 'of a bone', quote(field))
    }
    if (name === '' || bones.has(name)) throw words.error('bad name', 'one for each bone', quote(name))
    checkCount(words.where, 'bones', bones.size + 1, motionLimits.joints)
    bones.set(name, { vector: direction.map(x => x * length), axes, turns })
  }
}

/** Angles and the order in which they turn, about axes that stay: XYZ turns about x first. */
function readAxes(words: Words, radians: number): Quaternion {
  const angles = [0, 1, 2].map(() => words.number('an angle') * radians)
  const order = words.take('an order').toLowerCase()
  if (!/^[xyz]{3}$/.test(order)) throw words.error('bad order of axes', 'XYZ', quote(order))
  return [...order].reduce((turned, axis, i) => multiply(aboutAxis(axis as 'x', angles[i]), turned), identity)
}

function readTurns(words: Words): ('x' | 'y' | 'z')[] {
  const turns: ('x' | 'y' | 'z')[] = []
  while (turns.length < 3 && /^r[xyz]$/i.test(words.next ?? ''))
    turns.push(words.take('a turn')[1].toLowerCase() as 'x')
  return turns
}

function readHierarchy(words: Words, bones: ReadonlyMap<string, Bone>, parents: Map<string, string>): void {
  words.skip('begin')
  let parent: string | undefined
  // A parent and its children share a line; the first name that has no parent yet and is no child begins the next.
  for (let name = words.take('a bone'); name.toLowerCase() !== 'end'; name = words.take('a bone')) {
    if (!bones.has(name)) throw words.error('unknown bone', 'one of the bone data', quote(name))
    if (name === root || parents.has(name)) parent = name
    else if (parent === undefined) throw words.error('a bone before the root', root, quote(name))
    else parents.set(name, parent)
  }
}

/** Reads a .amc file's text on its skeleton. Throws a FileError on any flaw. */
export function parseAcclaimMotion(where: string, text: string, skeleton: AcclaimSkeleton): SourceMotion {
  const { bones, parents: parentNames, metres, radians } = skeleton
  const names = inOrder(parentNames)
  const parents = names.map(name => (name === root ? -1 : names.indexOf(parentNames.get(name)!)))
  // A joint is where its bone begins: where the parent's bone ends.
  const rest = new Array<number>(3 * names.length).fill(0)
  parents.forEach((parent, joint) => {
    if (parent < 0) return
    const { vector } = bones.get(names[parent])!
    for (const axis of [0, 1, 2]) rest[3 * joint + axis] = rest[3 * parent + axis] + vector[axis] * metres
  })

  const words = new Words(where, text.replace(/^[#:].*$/gm, ''))
  const frames = readFrames(words, names, bones)
  const pose = (frame: number): SourcePose => {
    const values = frames[frame]
    let at = 0
    const translation = [0, 0, 0]
    const turns = names.map((name): Quaternion => {
      const { axes, turns } = bones.get(name)!
      if (name === root) for (const axis of [0, 1, 2]) translation[axis] = values[at++] * metres
      const turn = turns.reduce((q, axis) => multiply(aboutAxis(axis, values[at++] * radians), q), identity)
      return multiply(multiply(axes, turn), inverse(axes))
    })
    return { rotations: turns.flat(), translation }
  }
  return { names, parents, rest, fps: framesPerSecond, frames: frames.length, pose }
}

/** The numbers of every frame, bones in the order of `names`; 0 where a frame says nothing of one. */
function readFrames(words: Words, names: readonly string[], bones: ReadonlyMap<string, Bone>): Float32Array[] {
  const places = new Map<string, { at: number; count: number }>()
  let width = 0
  for (const name of names) {
    const count = bones.get(name)!.turns.length + (name === root ? 3 : 0)
    places.set(name, { at: width, count })
    width += count
  }
  const frames: Float32Array[] = []
  while (words.next !== undefined) {
    const frame = words.number('the number of a frame')
    checkCount(words.where, 'frames', frames.length + 1, Math.min(motionLimits.frames, motionLimits.numbers / width))
    if (frame !== frames.length + 1) throw words.error('frames out of order', `${frames.length + 1}`, `${frame}`)
    const values = new Float32Array(width)
    const seen = new Set<string>()
    while (words.next !== undefined && !/^[\d.+-]/.test(words.next)) {
      const name = words.take('a bone')
      const place = places.get(name)
      if (!place || seen.has(name)) throw words.error('unexpected bone', 'each of the skeleton once', quote(name))
      seen.add(name)
      for (let i = 0; i < place.count; i++) values[place.at + i] = words.number('a position or an angle')
    }
    if (seen.size === 0) throw words.error('an empty frame', 'a bone and its angles', String(frame))
    frames.push(values)
  }
  checkCount(words.where, 'frames', frames.length, motionLimits.frames)
  return frames
}

/** Names of bones, parents first. */
function inOrder(parents: ReadonlyMap<string, string>): string[] {
  const names = [root]
  for (const name of names) for (const [child, parent] of parents) if (parent === name) names.push(child)
  return names
}
