// Golden files of the blurred shrinking before the image encoder: `<i>/x` [1,C,H,W] to `<i>/out`.

import type { TensorFile } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'
import { resizeAntialiased } from '../../models/svd/antialias.js'
import type { GoldenKind } from './kind.js'
import { withFile } from './network.js'
import { compare, readNumbers, type Numbers, type VerifyCase } from './outcome.js'

const tolerance = 1e-5

async function* verifyFile(title: string, file: TensorFile): AsyncGenerator<VerifyCase, void, undefined> {
  for (const name of [...file.tensors.keys()].filter(key => key.endsWith('/x'))) {
    const { data, shape } = await readNumbers(file, name)
    const tensor = name.replace(/x$/, 'out')
    const expected = await readNumbers(file, tensor)
    const isPicture = ({ data, shape }: Numbers) => shape.length === 4 && shape[0] === 1 && data.length > 0
    if (!isPicture({ data, shape }) || !isPicture(expected))
      throw new FileError({ where: file.name, what: `${name} is no picture`, expected: '[1, C, H, W]' })
    const [, channels, height, width] = shape
    const [, , toHeight, toWidth] = expected.shape
    const area = height * width
    const pixels = Float32Array.from(data, (_, i) => data[(i % channels) * area + Math.floor(i / channels)])
    const resized = resizeAntialiased({ data: pixels, width, height, channels }, toWidth, toHeight)
    const planes = resized.map((_, i, all) => {
      const [c, pixel] = [Math.floor(i / (toHeight * toWidth)), i % (toHeight * toWidth)]
      return all[pixel * channels + c]
    })
    yield compare(title, tensor, { data: planes, shape: [1, channels, toHeight, toWidth] }, expected, tolerance)
  }
}

export const resizeKind: GoldenKind = {
  claim: ({ files }) => (files.has('resize.safetensors') ? ['resize'] : []),
  verify: folder => withFile(folder, 'resize', file => verifyFile(folder.titleOf('resize'), file)),
}
