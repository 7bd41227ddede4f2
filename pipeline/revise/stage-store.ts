// What the stages leave in a run's folder: a folder each, there whole or not at all, which says of which run it is.

import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isObject } from '../../models/config-reader.js'
import { makeFolder } from '../../tensor/files/index.js'
import { FileError, UsageError } from '../../tensor/index.js'
import { checkSameConfiguration, type Configuration } from '../configuration.js'
import { readPicture } from '../media/decode.js'
import { writeFileAtomically } from '../media/atomic.js'
import { software } from '../media/note.js'
import { frameName, OutputFolder } from '../media/output.js'
import type { Picture } from '../media/picture.js'
import type { ReviseStage } from './settings.js'

const noteName = 'stage.json'
// Notes are of a few kilobytes.
const maxBytes = 2 ** 16

/** What a stage took. */
export interface StageCost {
  readonly seconds: number
  /** Device memory at the most. */
  readonly peakBytes: number
}

interface Note extends StageCost {
  readonly configuration: Readonly<Record<string, unknown>>
}

/** The folders of a run's stages. */
export class StageStore {
  private constructor(readonly path: string) {}

  /** Makes the folder if need be. Throws a FileError where none can be. */
  static async open(path: string): Promise<StageStore> {
    if (path.trim() === '') throw new UsageError({ where: 'output', what: 'the name of the folder is empty' })
    const folder = resolve(path)
    await makeFolder(folder)
    return new StageStore(folder)
  }

  /** A stage's folder. */
  folder(stage: ReviseStage): string {
    return join(this.path, stage)
  }

  /** The file that a stage goes on from when it was stopped. */
  checkpoint(stage: ReviseStage): string {
    return join(this.path, `${stage}.checkpoint`)
  }

  /**
   * What the stage took when it was made by an earlier run of this configuration; undefined if it was not made yet.
   *
   * @throws UsageError for the stage of another configuration, saying what differs; FileError for a folder that is none
   *   of ours
   */
  async saved(stage: ReviseStage, configuration: Configuration): Promise<StageCost | undefined> {
    const folder = this.folder(stage)
    const found = await stat(folder).catch(() => undefined)
    if (!found) return undefined
    const note = await readNote(join(folder, noteName))
    if (!note) throw new FileError({ where: folder, what: 'not the results of a stage', hint: 'another output folder' })
    checkSameConfiguration(folder, 'made by a run of other settings', configuration, note.configuration)
    return note
  }

  /** The frames that a stage left. Throws a FileError for those that cannot be read. */
  frames(stage: ReviseStage, count: number): Promise<Picture[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => readPicture(join(this.folder(stage), frameName(i)))))
  }

  /**
   * Puts the results of a stage into place, all at once; `fill` writes them.
   *
   * @throws what `fill` throws, and FileError when the disk refuses
   */
  async write(
    stage: ReviseStage,
    note: StageCost & { readonly configuration: Configuration },
    fill: (output: OutputFolder) => Promise<void>,
  ): Promise<void> {
    using output = await OutputFolder.create(this.folder(stage))
    await fill(output)
    const text = `${JSON.stringify({ program: software, stage, ...note }, null, 2)}\n`
    await writeFileAtomically(output.file(noteName), new TextEncoder().encode(text))
    await output.commit()
  }
}

/** stage.json, if this program wrote it. */
async function readNote(path: string): Promise<Note | undefined> {
  try {
    if ((await stat(path)).size > maxBytes) return undefined
    const note: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (!isObject(note) || note.program !== software || !isObject(note.configuration)) return undefined
    const { configuration, seconds, peakBytes } = note
    return typeof seconds === 'number' && typeof peakBytes === 'number'
      ? { configuration, seconds, peakBytes }
      : undefined
  } catch {
    return undefined // absent, unreadable or not JSON: not ours
  }
}
