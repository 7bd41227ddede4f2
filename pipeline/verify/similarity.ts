// Golden files of how alike pictures are: `<i>/a` and `<i>/b` [H,W,3] of ssim_pairs to the numbers in metrics.json.

import { isObject } from '../../models/config-reader.js'
import type { TensorFile } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { psnr, ssim } from '../eval/similarity.js'
import type { Picture } from '../media/picture.js'
import type { GoldenFolder } from './folder.js'
import type { GoldenKind } from './kind.js'
import { withFile } from './network.js'
import { compareAbsolutely, type VerifyCase } from './outcome.js'

const [pairsFile, metricsFile] = ['ssim_pairs', 'metrics.json']
const tolerance = 1e-6

async function readPicture(file: TensorFile, name: string): Promise<Picture> {
  const { data, shape, dtype } = await file.read(name)
  if (dtype !== 'u8' || shape.length !== 3 || shape[2] !== 3)
    throw new FileError({ where: file.name, what: `${name} is no picture`, expected: 'u8 [H, W, 3]' })
  return { width: shape[1], height: shape[0], data: data as Uint8Array }
}

async function* verifyPairs(folder: GoldenFolder, file: TensorFile): AsyncGenerator<VerifyCase, void, undefined> {
  const { ssim_pairs: list } = await folder.readObject(metricsFile)
  if (!Array.isArray(list)) throw new FileError({ where: folder.path, what: `no ssim_pairs in ${metricsFile}` })
  for (const [i, metrics] of list.entries()) {
    const [a, b] = [await readPicture(file, `${i}/a`), await readPicture(file, `${i}/b`)]
    for (const [key, measure] of [
      ['ssim_gaussian_rgb', ssim],
      ['psnr_rgb', psnr],
    ] as const) {
      const expected = isObject(metrics) ? Number(metrics[key]) : NaN
      yield compareAbsolutely(folder.titleOf(pairsFile), `${i}/${key}`, [measure(a, b)], [expected], tolerance)
    }
  }
}

export const similarityKind: GoldenKind = {
  claim: ({ files }) => (files.has(`${pairsFile}.safetensors`) && files.has(metricsFile) ? [pairsFile] : []),
  verify: folder => withFile(folder, pairsFile, file => verifyPairs(folder, file)),
}
