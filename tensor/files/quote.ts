// Text and values out of a file, made fit for an error message: on one line, and short.

const maxLength = 80

const short = (text: string) => (text.length > maxLength ? `${text.slice(0, maxLength)}...` : text)

/** `text` as a quoted string of one line, cut after 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(short(text))
}

/** A value read from JSON as it stands there, cut after 80 characters; `absent` for undefined. */
export function quoteValue(value: unknown): string {
  if (value === undefined) return 'absent'
  if (typeof value === 'string') return quote(value)
  try {
    return short(JSON.stringify(value))
  } catch {
    return 'lists in lists beyond depth' // JSON is parsed to any depth, but not written
  }
}
