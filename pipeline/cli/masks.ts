// The folder of part masks that `revision generate --masks` names.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from '../../tensor/files/index.js'
import { FileError, UsageError } from '../../tensor/index.js'
import { readLabels } from '../media/decode.js'
import { byNumber } from '../media/frames.js'
import type { PartMask } from '../../models/svd/motion-condition.js'
import type { GenerateSettings } from '../settings.js'

/**
 * One PNG of labels a frame, in the order of their names, where numbers count as numbers; said of the whole frame, with
 * full confidence.
 *
 * @throws FileError when the folder or a file cannot be read; UsageError when number or size are not the video's
 */
export async function readMasks(
  folder: string,
  { frames, width, height }: Pick<GenerateSettings, 'frames' | 'width' | 'height'>,
): Promise<PartMask[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    const reason = reasonOf(cause)
    if (reason === 'ENOENT') throw new FileError({ where: folder, what: 'there is no such folder of masks' }, { cause })
    throw new FileError({ where: folder, what: 'the folder of masks cannot be read', got: reason }, { cause })
  })
  const files = names.filter(name => /\.png$/i.test(name)).sort(byNumber)
  if (files.length !== frames)
    throw new UsageError({
      where: folder,
      what: 'not one mask for each frame',
      expected: `${frames} PNG files`,
      got: String(files.length),
    })
  const masks: PartMask[] = []
  for (const name of files) {
    const labels = await readLabels(join(folder, name))
    if (labels.width !== width || labels.height !== height)
      throw new UsageError({
        where: join(folder, name),
        what: 'the mask is not of the size of the video',
        expected: `${width} x ${height}`,
        got: `${labels.width} x ${labels.height}`,
      })
    masks.push({ labels, confidence: 1 })
  }
  return masks
}
