// Files of rendered clips: a NumPy archive each (docs/dataset.md). It is a motion file as well, and a clip that the
// video UNet learns from.

import type { EntityKind } from '../../models/pppm/kinds.js'
import { writeNpz, type NpzEntry } from '../../tensor/files/index.js'
import { joinFloats, type DType, type HostArray } from '../../tensor/index.js'
import { sceneArrays } from '../../train/motion/scene-file.js'
import type { ClipEntity, DrawnClip } from './clip.js'
import type { ClipScript } from './script.js'

/** The version of the files that are written. */
export const clipFileVersion = 1

/** The file of a clip in its folder: names are in the order of the clips. */
export function clipName(index: number): string {
  return `clip-${String(index).padStart(6, '0')}.npz`
}

/** Writes a clip. Throws a FileError when the disk refuses. */
export async function writeClip(
  path: string,
  script: ClipScript,
  { frames, labels, entities }: DrawnClip,
): Promise<void> {
  const { frames: count, size, stride, camera, caption, seed, index } = script
  const of = (kind: EntityKind) => entities.filter(entity => entity.kind === kind)
  const [people, animals, objects] = [of('human'), of('animal'), of('object')]
  const arrays: Record<string, NpzEntry> = {
    frames: entry('u8', frames, [count, size, size, 3]),
    labels: entry('u8', labels, [count, size, size]),
    ...sceneArrays(
      path,
      entities.map(({ motion }) => motion),
    ),
    clip_version: entry('i32', Int32Array.of(clipFileVersion)),
    stride: entry('i32', Int32Array.of(stride)),
    seed: entry('i32', Int32Array.of(seed, index)),
    caption: entry('u8', new TextEncoder().encode(caption)),
    camera_position: entry('f32', Float32Array.from(camera.position)),
    camera_axes: entry('f32', Float32Array.from(camera.axes.flat()), [3, 3]),
    camera_focal: entry('f32', Float32Array.of(camera.focal)),
    camera_centre: entry('f32', Float32Array.from(camera.centre)),
  }
  if (people.length > 0) {
    arrays.betas = shapesOf(people)
    arrays.joints = tracks(people, count, 'joints', [3])
    arrays.visible = tracks(people, count, 'visible', [])
  }
  if (animals.length > 0) {
    arrays.animal_shape = shapesOf(animals)
    arrays.animal_joints = tracks(animals, count, 'joints', [3])
    arrays.animal_visible = tracks(animals, count, 'visible', [])
  }
  if (objects.length > 0)
    arrays.object_labels = entry(
      'u8',
      Uint8Array.from(objects, ({ label }) => label!),
    )
  await writeNpz(path, arrays)
}

function entry(dtype: DType, data: HostArray, shape: readonly number[] = [data.length]): NpzEntry {
  return { dtype, data, shape }
}

/** [P, coefficients] */
function shapesOf(entities: readonly ClipEntity[]): NpzEntry {
  const shapes = entities.map(({ shape }) => shape)
  return entry('f32', joinFloats(shapes), [shapes.length, shapes[0].length])
}

/** [F, P, J, ...tail]: what is told of each joint of each entity in each frame. */
function tracks(
  entities: readonly ClipEntity[],
  frames: number,
  name: 'joints' | 'visible',
  tail: readonly number[],
): NpzEntry {
  const list = entities.map(entity => entity[name])
  const size = list[0].length / frames
  const numbers = Array.from({ length: frames }, (_, f) =>
    list.flatMap(data => [...data.subarray(f * size, (f + 1) * size)]),
  )
  const joints = entities[0].visible.length / frames
  const shape = [frames, list.length, joints, ...tail]
  return name === 'joints'
    ? entry('f32', Float32Array.from(numbers.flat()), shape)
    : entry('u8', Uint8Array.from(numbers.flat()), shape)
}
