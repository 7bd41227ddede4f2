// Writing safetensors files to disk, tensor by tensor: no more than one of them need be in memory.

import { allocateHost, byteSize, type DType, type HostArray } from '../dtype.js'
import { ShapeError } from '../errors.js'
import { isShape, type Shape, showShape, sizeOf } from '../shape.js'
import { replaceFile } from './atomic.js'
import { quote } from './quote.js'
import { encodeHeader } from './safetensors-header.js'

/**
 * A tensor to be written. Given as a function its data is made, or read back from a device, only when its turn comes.
 */
export interface SafetensorsEntry {
  name: string
  dtype: DType
  shape: Shape
  data: HostArray | (() => HostArray | Promise<HostArray>)
}

/**
 * Writes a safetensors file so that `path` either holds all of it or stays as it was. Throws a ShapeError if data does
 * not fit its dtype and shape, a UsageError on bad names, a FileError if the disk refuses; none leaves anything behind.
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<SafetensorsEntry>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  // Wide elements first, as the official writer does: then each tensor starts at a multiple of its element's size.
  const ordered = [...entries].sort((a, b) => byteSize(b.dtype) - byteSize(a.dtype))
  for (const entry of ordered) checkShape(path, entry)
  const header = encodeHeader(path, ordered, metadata)
  await replaceFile(path, async append => {
    await append(header)
    for (const entry of ordered) {
      const data = typeof entry.data === 'function' ? await entry.data() : entry.data
      checkData(path, entry, data)
      await append(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  })
}

function checkShape(where: string, { name, shape }: SafetensorsEntry): void {
  if (!isShape(shape) || !Number.isSafeInteger(sizeOf(shape)))
    throw new ShapeError({
      where,
      what: `tensor ${quote(name)}: bad shape`,
      expected: 'whole numbers from 0',
      got: showShape(shape),
    })
}

function checkData(where: string, { name, dtype, shape }: SafetensorsEntry, data: HostArray): void {
  const expected = allocateHost(dtype, 0)
  if (data.constructor !== expected.constructor || data.length !== sizeOf(shape))
    throw new ShapeError({
      where,
      what: `tensor ${quote(name)}: data does not fit`,
      expected: `${expected.constructor.name} of ${sizeOf(shape)} for ${dtype} ${showShape(shape)}`,
      got: `${data.constructor.name} of ${data.length}`,
    })
}
