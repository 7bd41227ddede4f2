// Pictures and videos that are there whole or not at all.

import { replaceFile } from '../../tensor/files/index.js'

export { reasonOf } from '../../tensor/files/index.js'

/**
 * Writes a file so that its place holds what it held before or the whole new one.
 *
 * @throws FileError when the folder is missing or may not be written to
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(path, append => append(bytes))
}
