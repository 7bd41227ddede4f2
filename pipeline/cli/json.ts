// JSON on standard output.

/** What a terminal takes for an order, and what turns the direction of a text: never shown as it is. */
export const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/**
 * JSON whose strings hold no character that a terminal takes for an order, indented by `space`. JSON has no infinity;
 * a number that is infinite, such as the error where there is no result, says so in a word.
 */
export function jsonText(value: unknown, space?: number): string {
  const text = JSON.stringify(value, (_, item: unknown) => (item === Infinity ? 'infinite' : item), space)
  const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(unprintable, character => (character === '\n' ? character : escape(character)))
}
