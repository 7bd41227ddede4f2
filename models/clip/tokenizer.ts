// CLIP's tokenizer, with the vocabulary of a checkpoint. Only vocabulary and merges are taken from its files: how a
// text is cut into words is the same for every CLIP, and patterns out of a file could take forever.
// As Hugging Face's, and unlike OpenAI's, it neither repairs broken Unicode nor replaces HTML's entities.

import { Tokenizer } from '@huggingface/tokenizers'
import { quoteValue } from '../../tensor/files/quote.js'
import { FileError, UsageError } from '../../tensor/index.js'
import { isThere, readConfigText } from '../checkpoint.js'
import { isObject, parseObject } from '../config-reader.js'

const maxFileBytes = 2 ** 23
const maxTokens = 2 ** 18
const maxTexts = 4096
const maxCharacters = 2 ** 16

const start = '<|startoftext|>'
const end = '<|endoftext|>'

/** Byte-pair encoding: ids by token, and the pairs that are merged, the first ones first. */
export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>
  readonly merges: readonly (readonly [string, string])[]
}

/** Turns texts into the ids that CLIPTextModelWithProjection reads. */
export class CLIPTokenizer {
  readonly #tokenizer: Tokenizer
  readonly startId: number
  readonly endId: number
  readonly padId: number

  /** `pad` fills up short texts. Throws a FileError that names `where` if a special token is not in the vocabulary. */
  constructor(where: string, { ids, merges }: Vocabulary, pad = end) {
    const idOf = (token: string) => {
      const id = ids.get(token)
      if (id === undefined) throw new FileError({ where, what: 'a special token is missing', expected: token })
      return id
    }
    this.startId = idOf(start)
    this.endId = idOf(end)
    this.padId = idOf(pad)
    const description = {
      added_tokens: [start, end].map(content => ({ id: idOf(content), content, normalized: true, special: true })),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'NFC' },
          { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
          { type: 'Lowercase' },
        ],
      },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          {
            type: 'Split',
            pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
            behavior: 'Removed',
            invert: true,
          },
          { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
        ],
      },
      post_processor: null,
      decoder: null,
      model: { type: 'BPE', unk_token: end, end_of_word_suffix: '</w>', vocab: Object.fromEntries(ids), merges },
    }
    this.#tokenizer = new Tokenizer(description, {})
  }

  /**
   * Reads a checkpoint's tokenizer folder: vocab.json and merges.txt, or else tokenizer.json; tokenizer_config.json
   * tells the token that pads, if it is there. Throws a FileError if they are missing, too long or not what they should
   * be.
   */
  static async open(folder: string): Promise<CLIPTokenizer> {
    const { join } = await import('node:path')
    const isSplit = await isThere(join(folder, 'vocab.json'))
    const name = isSplit ? 'vocab.json' : 'tokenizer.json'
    const where = join(folder, name)
    const read = (file: string) => readConfigText(folder, file, maxFileBytes)
    const root = parseObject(where, await read(name))
    const vocabulary = isSplit
      ? parseVocabulary(where, root, parseMerges(await read('merges.txt')))
      : vocabularyOfModel(where, root)
    const config = 'tokenizer_config.json'
    const fields = (await isThere(join(folder, config))) ? parseObject(join(folder, config), await read(config)) : {}
    return new CLIPTokenizer(where, vocabulary, padToken(fields.pad_token))
  }

  /**
   * Ids of texts, [B][length]: start, tokens, end, padding. What does not fit is cut off before the end. Lower case and
   * upper case are one. Throws a UsageError for more than 4096 texts, or one of more than 65536 characters.
   */
  encode(texts: readonly string[], length = 77): number[][] {
    const refuse = (what: string, expected: string, got: number): never => {
      throw new UsageError({ where: 'tokenizer', what, expected, got: String(got) })
    }
    if (texts.length > maxTexts) refuse('too many texts', `at most ${maxTexts}`, texts.length)
    if (!(Number.isInteger(length) && length >= 2 && length <= maxTokens))
      refuse('bad length', `an integer in 2..${maxTokens}`, length)
    return texts.map(text => {
      if (text.length > maxCharacters) refuse('text is too long', `at most ${maxCharacters} characters`, text.length)
      const { ids } = this.#tokenizer.encode(text)
      const whole = [this.startId, ...ids.slice(0, length - 2), this.endId]
      return [...whole, ...new Array<number>(length - whole.length).fill(this.padId)]
    })
  }
}

/** The pairs of merges.txt: one a line, after a line that tells the version. */
function parseMerges(text: string): string[] {
  const lines = text.split('\n').map(line => line.trimEnd())
  return lines.filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')))
}

/** What tokenizer.json holds in the place of the two files. */
function vocabularyOfModel(where: string, { model }: Record<string, unknown>): Vocabulary {
  const isBpe = isObject(model) && isObject(model.vocab) && Array.isArray(model.merges)
  if (!isBpe) throw new FileError({ where, what: 'no byte-pair encoding', expected: 'model.vocab and model.merges' })
  return parseVocabulary(where, model.vocab as Record<string, unknown>, model.merges as unknown[])
}

function parseVocabulary(where: string, vocab: Record<string, unknown>, merges: readonly unknown[]): Vocabulary {
  const bad = (what: string, expected: string, got: unknown) =>
    new FileError({ where, what, expected, got: quoteValue(got) })
  const entries = Object.entries(vocab)
  if (entries.length > maxTokens) throw bad('too many tokens', `at most ${maxTokens}`, entries.length)
  if (merges.length > maxTokens) throw bad('too many merges', `at most ${maxTokens}`, merges.length)
  const ids = new Map<string, number>()
  for (const [token, id] of entries) {
    if (!(Number.isInteger(id) && Number(id) >= 0 && Number(id) < maxTokens))
      throw bad('bad id of a token', `an integer in 0..${maxTokens - 1}`, id)
    ids.set(token, Number(id))
  }
  const pairs = merges.map((merge): [string, string] => {
    const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge
    const [left, right] = Array.isArray(parts) && parts.length === 2 ? (parts as unknown[]) : []
    if (typeof left !== 'string' || typeof right !== 'string' || !ids.has(left + right))
      throw bad('bad merge', 'two parts of a token', merge)
    return [left, right]
  })
  return { ids, merges: pairs }
}

/** A token as tokenizer_config.json has it: its text, alone or among properties. */
function padToken(value: unknown): string | undefined {
  const content = isObject(value) ? value.content : value
  return typeof content === 'string' ? content : undefined
}
