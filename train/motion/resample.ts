// A captured motion at another rate.

import { quaternionAt, slerp } from '../../models/body/quaternion.js'
import type { SourceMotion } from './source.js'

/**
 * The motion at `fps` frames a second, from its first frame to the last that fits: turns by the shortest way between
 * the two nearest frames, positions straight. Fewer frames lose what is faster than they are; captured people are not.
 */
export function resample(
  source: SourceMotion,
  fps: number,
): Pick<SourceMotion, 'frames' | 'rotations' | 'translations'> {
  const frames = Math.floor(((source.frames - 1) * fps) / source.fps + 1e-6) + 1
  const rotations: Float32Array[] = []
  const translations: Float32Array[] = []
  for (let frame = 0; frame < frames; frame++) {
    const at = Math.min((frame * source.fps) / fps, source.frames - 1)
    const before = Math.min(Math.floor(at + 1e-6), source.frames - 1)
    const after = Math.min(before + 1, source.frames - 1)
    const t = Math.max(0, at - before)
    const [a, b] = [source.rotations[before], source.rotations[after]]
    const turns = source.parents.map((_, joint) => slerp(quaternionAt(a, joint), quaternionAt(b, joint), t))
    rotations.push(Float32Array.from(turns.flat()))
    const [p, q] = [source.translations[before], source.translations[after]]
    translations.push(p.map((value, axis) => value + t * (q[axis] - value)))
  }
  return { frames, rotations, translations }
}
