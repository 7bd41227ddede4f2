// Texts of motions as a text encoder tells them: each encoded once, before training begins.

import { PromptEncoder } from '../../models/clip/prompt.js'
import { UsageError, type Runtime } from '../../tensor/index.js'

/** Tokens that a motion's text is cut off or filled up to: names of actions are short. */
export const textTokens = 16

// Texts that are encoded together, and how many different ones a library may have.
const together = 32
const mostTexts = 65_536

/** Encoded texts. */
export interface TextTable {
  /** Width of a token. */
  readonly channels: number
  /** By text, [`textTokens` x channels]. */
  readonly tokens: ReadonlyMap<string, Float32Array>
}

/** Encodes different texts with the encoder of a folder. Errors: as PromptEncoder; a UsageError for far too many texts. */
export async function encodeTexts(runtime: Runtime, folder: string, texts: Iterable<string>): Promise<TextTable> {
  const different = [...new Set(texts)]
  if (different.length > mostTexts)
    throw new UsageError({
      where: 'texts of motions',
      what: 'too many different ones',
      expected: `at most ${mostTexts}`,
      got: String(different.length),
    })
  using encoder = await PromptEncoder.open(runtime, folder)
  const { channels } = encoder
  const tokens = new Map<string, Float32Array>()
  for (let start = 0; start < different.length; start += together) {
    const some = different.slice(start, start + together)
    using encoded = encoder.encode(some, textTokens) // [B,M,C]
    const numbers = await encoded.floats()
    const size = textTokens * channels
    for (const [i, text] of some.entries()) tokens.set(text, numbers.slice(i * size, (i + 1) * size))
  }
  return { channels, tokens }
}
