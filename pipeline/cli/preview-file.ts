// A preview beside the output folder, for as long as the run takes.

import { constants, rmSync } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { sweepPartials } from '../../tensor/files/index.js'
import { systemError } from '../../tensor/files/system-error.js'
import { UsageError } from '../../tensor/index.js'
import { writePng } from '../media/encode.js'
import { software } from '../media/note.js'
import type { Picture } from '../media/picture.js'

// Where a mark of ours is: the notes stand behind the header.
const markWithin = 128

/** `<out>.preview.png`: replaced by each preview, removed when the run ends, however it does short of being killed. */
export class PreviewFile implements Disposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
    process.prependOnceListener('exit', this.#remove) // before the folder that it lies in may be removed
  }

  /** Throws a UsageError where a file of somebody else is in the way, a FileError where none can be written. */
  static async create(out: string): Promise<PreviewFile> {
    const path = `${resolve(out)}.preview.png`
    await access(dirname(path), constants.W_OK).catch((cause: unknown) => {
      throw systemError(path, 'no preview can be written there', cause)
    })
    if (!(await isFree(path)))
      throw new UsageError({ where: path, what: 'it would be replaced by the preview', hint: 'another output folder' })
    await sweepPartials(path)
    return new PreviewFile(path)
  }

  async write(picture: Picture): Promise<void> {
    await writePng(this.path, picture, 'preview')
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#remove)
    this.#remove()
  }

  readonly #remove = (): void => rmSync(this.path, { force: true })
}

/** Whether nothing is there, or a preview that a killed run left. */
async function isFree(path: string): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw systemError(path, 'cannot be read', cause)
  })
  if (!file) return true
  try {
    if (!(await file.stat()).isFile()) return false
    const { buffer, bytesRead } = await file.read(Buffer.alloc(markWithin), 0, markWithin, 0)
    return buffer.toString('latin1', 0, bytesRead).includes(`Software\0${software}`)
  } finally {
    await file.close()
  }
}
