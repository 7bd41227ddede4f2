// A PPPM out of one file: its weights, with the configuration noted in it.

import { openSafetensors } from '../../tensor/files/index.js'
import { FileError, type Runtime } from '../../tensor/index.js'
import { parsePPPMConfig } from './config.js'
import { PPPM } from './pppm.js'

/** A PPPM out of a file. */
export interface OpenedPPPM {
  readonly model: PPPM
  /** What training noted in the file. */
  readonly metadata: ReadonlyMap<string, string>
}

/** Loads a PPPM from the path or URL of its safetensors file. Throws a FileError if it is none. */
export async function openPPPM(runtime: Runtime, location: string): Promise<OpenedPPPM> {
  const file = await openSafetensors(location)
  try {
    const { metadata } = file
    const config = metadata.get('config')
    if (config === undefined)
      throw new FileError({
        where: location,
        what: 'not the weights of a PPPM',
        expected: 'a file that `revision train pppm` wrote',
        got: 'no configuration in it',
      })
    return { model: await PPPM.load(runtime, file, parsePPPMConfig(location, config)), metadata }
  } finally {
    await file.close()
  }
}
