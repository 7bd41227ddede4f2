// Motions made of formulas, for tests of what learns from motions.

import { jointIndex } from '../../models/body/skeleton.js'
import { poseNumbers, type Motion } from '../../train/motion/motion.js'

/** A person that walks in a circle and swings arms and legs, every one in another rhythm. */
export function strollingPerson(frames: number, rhythm = 1): Motion {
  const poses = new Float32Array(frames * poseNumbers)
  const trans = new Float32Array(frames * 3)
  for (let frame = 0; frame < frames; frame++) {
    const time = frame / 30
    const swing = Math.sin(2 * Math.PI * rhythm * time)
    const turn = (name: string, rotation: readonly number[]) =>
      poses.set(rotation, frame * poseNumbers + 3 * jointIndex(name))
    turn('pelvis', [0, 0.4 * time, 0])
    turn('left_hip', [0.5 * swing, 0, 0])
    turn('right_hip', [-0.5 * swing, 0, 0])
    turn('left_knee', [0.4 + 0.4 * swing, 0, 0])
    turn('left_shoulder', [0, -0.3 * swing, -1.2])
    turn('right_shoulder', [0, -0.3 * swing, 1.2])
    trans.set([Math.sin(0.4 * time), 0.95 + 0.02 * swing, Math.cos(0.4 * time)], 3 * frame)
  }
  return { frames, poses, trans }
}
