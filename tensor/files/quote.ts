// Text out of a file, made fit for an error message: quoted, without line breaks, and short.

const maxLength = 80

/** `text` as a quoted string of one line, cut after 80 characters. */
export function quote(text: string): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text
  return JSON.stringify(short)
}
