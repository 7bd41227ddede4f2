// Text files of bounded size. Needs Node.

import { NodeFileSource } from '../../tensor/files/index.js'
import { FileError } from '../../tensor/index.js'

/** The text of a file, a character a byte. Throws a FileError if it cannot be read or has more bytes than `most`. */
export async function readText(path: string, most: number): Promise<string> {
  const source = await NodeFileSource.open(path)
  try {
    const { size } = source
    if (size > most)
      throw new FileError({ where: path, what: 'too large', expected: `${most} bytes`, got: String(size) })
    return new TextDecoder('latin1').decode(await source.read(0, size))
  } finally {
    await source.close()
  }
}
