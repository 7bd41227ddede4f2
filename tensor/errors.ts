// Typed errors. Every message reads `where: what; expected ...; got ...; try ...`, on one line.

/** What an error message is made of. Parts that are absent are left out of the text. */
export interface ErrorParts {
  /** The operation, file or option that complains. */
  where: string
  what: string
  expected?: string
  got?: string
  hint?: string
}

function sentence({ where, what, expected, got, hint }: ErrorParts): string {
  const parts = [`${where}: ${what}`]
  if (expected !== undefined) parts.push(`expected ${expected}`)
  if (got !== undefined) parts.push(`got ${got}`)
  if (hint !== undefined) parts.push(`try ${hint}`)
  return parts.join('; ')
}

/** Base class of every error this project raises on purpose; anything else that is thrown is a bug. */
export class RevisionError extends Error {
  readonly parts: ErrorParts

  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super(sentence(parts), options)
    this.name = new.target.name
    this.parts = parts
  }
}

/** Operands whose shapes, dtypes or parameters do not fit an operation. */
export class ShapeError extends RevisionError {}

/** A handle used after it was released, or operands of two runtimes in one operation. */
export class LifetimeError extends RevisionError {}

/** A malformed or hostile file: checkpoint, array, picture, configuration. */
export class FileError extends RevisionError {}

/** A value given by the user (option, argument, configuration) that cannot be used. */
export class UsageError extends RevisionError {}

/** No adapter of the wanted kind, or one that lacks something that is needed. */
export class AdapterError extends RevisionError {}

/** The device is gone; every later operation on the same runtime fails with this error at once. */
export class DeviceLostError extends RevisionError {}

/** A computation that gave NaN or infinity where numbers were due. */
export class NumberError extends RevisionError {}

/** An allocation that the device or a budget refused. All sizes in bytes. */
export class OutOfMemoryError extends RevisionError {
  readonly asked: number
  readonly live: number
  readonly peak: number

  constructor(where: string, sizes: { asked: number; live: number; peak: number }, options?: ErrorOptions) {
    const { asked, live, peak } = sizes
    super(
      {
        where,
        what: 'out of memory',
        got: `a request for ${asked} bytes with ${live} live and ${peak} at the peak`,
        hint: 'smaller chunks, fewer frames or a smaller picture',
      },
      options,
    )
    this.asked = asked
    this.live = live
    this.peak = peak
  }
}

/**
 * A shader that did not compile or a dispatch that the device refused: our own mistake, told with the annotated source.
 */
export class KernelError extends RevisionError {}
