// What a motion is to be, in words, for a PPPM that was trained with texts.

import { UsageError, type Tensor } from '../../tensor/index.js'
import type { PromptEncoder } from '../clip/prompt.js'
import type { PPPM } from './pppm.js'

/** A text as `refineScene` takes it, [1, M, textChannels]; throws a UsageError if model and encoder do not go together. */
export function tellText({ config }: PPPM, encoder: PromptEncoder, text: string): Tensor {
  const { textTokens, textChannels } = config
  if (textTokens === undefined)
    throw new UsageError({ where: 'text', what: 'this model was trained without texts', hint: 'leaving the text out' })
  if (encoder.channels !== textChannels)
    throw new UsageError({
      where: 'text encoder',
      what: 'not the one that the model was trained with',
      expected: `tokens of ${textChannels} numbers`,
      got: String(encoder.channels),
    })
  return encoder.encode([text], textTokens)
}
