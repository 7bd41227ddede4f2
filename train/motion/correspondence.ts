// Which joint of a captured skeleton is which of SMPL-X's, by the names that files give.

import { jointNames } from '../../models/body/skeleton.js'
import { FileError } from '../../tensor/index.js'

// In small letters, for the left side; the right side's have r for l.
const aliases: Readonly<Record<string, readonly string[]>> = {
  pelvis: ['hip', 'hips', 'root', 'pelvis'],
  left_hip: ['lthigh', 'lfemur', 'leftupleg', 'left_hip', 'lefthip', 'lhip'],
  spine1: ['abdomen', 'lowerback', 'spine', 'spine1'],
  left_knee: ['lshin', 'ltibia', 'leftleg', 'left_knee', 'leftknee', 'lknee'],
  spine2: ['upperback', 'spine2'],
  left_ankle: ['lfoot', 'leftfoot', 'left_ankle', 'leftankle', 'lankle'],
  spine3: ['chest', 'thorax', 'spine3'],
  left_foot: ['ltoe', 'ltoes', 'lefttoebase', 'left_foot', 'lefttoe'],
  neck: ['neck', 'lowerneck'],
  left_collar: ['lcollar', 'lclavicle', 'leftshoulder', 'left_collar', 'leftcollar'],
  head: ['head'],
  left_shoulder: ['lshldr', 'lhumerus', 'leftarm', 'left_shoulder', 'leftuparm'],
  left_elbow: ['lforearm', 'lradius', 'leftforearm', 'left_elbow', 'leftlowarm'],
  left_wrist: ['lhand', 'lefthand', 'left_wrist'],
}

const optional = ['spine1', 'spine2', 'spine3', 'left_foot', 'right_foot', 'left_collar', 'right_collar', 'head']

/**
 * The captured joint for each of SMPL-X's body joints, by index; undefined where there is none. Throws a FileError that
 * names what is missing of hips, knees, ankles, shoulders, elbows, wrists, neck and pelvis.
 */
export function correspondence(where: string, names: readonly string[]): (number | undefined)[] {
  const known = new Map(names.map((name, i) => [name.toLowerCase(), i]))
  const found = jointNames.slice(0, 22).map(joint => {
    const right = joint.startsWith('right_')
    const wanted = aliases[right ? joint.replace('right_', 'left_') : joint]
    const name = wanted.map(alias => (right ? mirrored(alias) : alias)).find(alias => known.has(alias))
    return name === undefined ? undefined : known.get(name)
  })
  const missing = jointNames.slice(0, 22).filter((joint, i) => found[i] === undefined && !optional.includes(joint))
  if (missing.length > 0)
    throw new FileError({
      where,
      what: 'not the skeleton of a person',
      expected: 'joints named as in CMU, DAZ, MotionBuilder or SMPL files',
      got: `no ${missing.slice(0, 6).join(', ')}`,
    })
  return found
}

function mirrored(alias: string): string {
  return alias.startsWith('left') ? alias.replace('left', 'right') : alias.replace(/^l/, 'r')
}
