// Words of captions: what a person does, from the name of an action, and articles.

// Actions whose names are no verbs.
const phrases: readonly (readonly [RegExp, string])[] = [
  [/salsa/, 'is dancing salsa'],
  [/indian/, 'is dancing an Indian dance'],
  [/martial/, 'is doing martial arts'],
  [/basketball signal/, 'is giving basketball signals'],
  [/basketball|soccer/, 'is playing $&'],
]

/** Such as `is walking`; `is moving` where nothing is known. */
export function doingOf(action: string | undefined): string {
  const words = action?.toLowerCase() ?? ''
  const known = phrases.find(([pattern]) => pattern.test(words))
  if (known) return known[1].replace('$&', known[0].exec(words)![0])
  return /^[a-z]+ing\b[a-z ]*$/.test(words) ? `is ${words}` : 'is moving'
}

/** Words with `a` or `an` before them. */
export function article(words: string): string {
  return `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`
}
