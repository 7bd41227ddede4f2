// NumPy's archive format: a zip with one .npy file for each array.

import { FileError } from '../errors.js'
import { parseNpy } from './npy.js'
import { quote } from './quote.js'
import type { ByteSource } from './source.js'
import type { LoadedTensor } from './tensor-file.js'
import { ZipFile } from './zip.js'

const suffix = '.npy'

/** An open .npz file. Arrays are looked at only when read, so that one of Python objects does not spoil the others. */
export class NpzFile {
  readonly name: string
  /** Names of the arrays, in the order of the archive. */
  readonly names: readonly string[]
  private readonly zip: ZipFile

  private constructor(zip: ZipFile) {
    this.name = zip.name
    this.zip = zip
    this.names = [...zip.entries.keys()]
      .filter(entry => entry.endsWith(suffix))
      .map(entry => entry.slice(0, -suffix.length))
  }

  /** Checks the archive's directory; throws a FileError on any flaw. The file owns its source. */
  static async open(source: ByteSource): Promise<NpzFile> {
    return new NpzFile(await ZipFile.open(source))
  }

  /**
   * One array of at most `most` bytes (2 GiB), converted as by `readNpy`; throws a FileError if there is none of that
   * name, or it is larger or malformed.
   */
  async read(name: string, most?: number): Promise<LoadedTensor> {
    if (!this.names.includes(name)) throw new FileError({ where: this.name, what: `no array ${quote(name)}` })
    return parseNpy(`${this.name}: array ${quote(name)}`, await this.zip.read(name + suffix, most))
  }

  close(): Promise<void> {
    return this.zip.close()
  }
}
