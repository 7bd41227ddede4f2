// A reader of POSIX ustar and GNU tar archives that are already in memory: takes chosen regular files, copies nothing.
// Format: "pax, ustar Interchange Format", IEEE Std 1003.1.

import { FileError } from '../errors.js'

const block = 512

/** Text of a header field: bytes up to the first NUL. */
function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length)
  const end = field.indexOf(0)
  return new TextDecoder('latin1').decode(end < 0 ? field : field.subarray(0, end))
}

/** A numeric header field; NaN unless it is plain octal (GNU's binary form is for files of 8 GiB and more). */
function octal(header: Uint8Array, start: number, length: number): number {
  const digits = text(header, start, length).trim()
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN
}

/** Sum of a header's bytes, its own checksum field counted as spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0)
}

/**
 * The wanted files of a tar archive, as views into it. A name must match in full, so no entry chooses its own path.
 * @throws FileError if a header is malformed, a size runs past the end, or a wanted name is missing, doubled or no file
 */
export function readTar(archive: Uint8Array, wanted: readonly string[]): Map<string, Uint8Array> {
  const fail = (what: string, got?: string) => new FileError({ where: 'tar', what, got })
  const files = new Map<string, Uint8Array>()
  for (let at = 0; at + block <= archive.length;) {
    const header = archive.subarray(at, at + block)
    if (header.every(byte => byte === 0)) break
    if (octal(header, 148, 8) !== checksum(header)) throw fail('wrong header checksum', `byte ${at}`)
    const size = octal(header, 124, 12)
    const start = at + block
    if (!(size <= archive.length - start)) throw fail('an entry runs past the end', `${size} bytes at byte ${at}`)
    const prefix = text(header, 257, 6) === 'ustar' ? text(header, 345, 155) : ''
    const name = prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`
    if (wanted.includes(name)) {
      const kind = text(header, 156, 1)
      if (kind !== '' && kind !== '0') throw fail(`${name} is not a regular file`, `type ${JSON.stringify(kind)}`)
      if (files.has(name)) throw fail(`${name} is there twice`)
      files.set(name, archive.subarray(start, start + size))
    }
    at = start + Math.ceil(size / block) * block
  }
  const missing = wanted.filter(name => !files.has(name))
  if (missing.length > 0) throw fail(`the archive lacks ${missing.join(', ')}`)
  return files
}
