// A note in a picture or video about how it was made, where players and viewers look for one.

import { UsageError } from '../../tensor/errors.js'

/** What made a file. Its notes begin with it, so that a later run knows its own. */
export const software = 'revision'

// Longer is no note; and every format's own bound lies above.
const maxLength = 2 ** 16

/**
 * The bytes of a note, one for each character.
 *
 * @throws UsageError unless it is printable ASCII of at most 65,536 characters, which all formats can hold
 */
export function noteBytes(note: string): Uint8Array {
  if (!/^[\x20-\x7e]*$/.test(note) || note.length > maxLength)
    throw new UsageError({
      where: 'note',
      what: 'not a note',
      expected: `printable ASCII, at most ${maxLength} characters`,
    })
  return Uint8Array.from(note, character => character.charCodeAt(0))
}
