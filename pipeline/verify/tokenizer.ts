// Golden texts and the ids that OpenAI's tokenizer gave for them, where a vocabulary lies beside: vocab.json and
// merges.txt, tokenizer.json, or OpenAI's own file of merges.
// The latter is read as openai/CLIP: clip/simple_tokenizer.py does (bytes_to_unicode, SimpleTokenizer.__init__).

import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CLIPTokenizer, type Vocabulary } from '../../models/index.js'
import { isObject } from '../../models/config-reader.js'
import { quoteValue } from '../../tensor/files/quote.js'
import { FileError } from '../../tensor/index.js'
import type { GoldenFolder } from './folder.js'
import { compareAbsolutely, type VerifyOutcome } from './outcome.js'

const casesFile = 'tokenizer_cases.json'
const mergesFile = 'bpe_simple_vocab_16e6.txt.gz'
const maxMergeBytes = 2 ** 24
const maxCases = 10_000
// Of the published vocabulary: 256 bytes, the same at the end of a word, these merges, and two special tokens.
const mergeCount = 49152 - 256 - 2

/** Compares ids; without the cases there is nothing to do, without a vocabulary they are skipped. */
export async function* verifyTokenizer(folder: GoldenFolder): AsyncGenerator<VerifyOutcome, void, undefined> {
  if (!folder.files.has(casesFile)) return
  const name = `${folder.title}/tokenizer_cases`
  const tokenizer = await openTokenizer(folder)
  if (!tokenizer) {
    yield { name, reason: 'no vocabulary lies beside it' }
    return
  }
  const where = join(folder.path, casesFile)
  const { cases } = await folder.readObject(casesFile)
  if (!Array.isArray(cases) || cases.length > maxCases)
    throw new FileError({ where, what: 'no golden texts', expected: `up to ${maxCases} cases` })
  let repaired = 0
  for (const [i, item] of cases.entries()) {
    const { text, ids, changed } = readCase(where, item)
    // Texts that the source repairs or unescapes first; the checkpoints' own tokenizer does neither.
    if (changed || /&#?\w+;/.test(text)) repaired++
    else {
      // One place more than is needed: a token too many is seen.
      const expected = [tokenizer.startId, ...ids, tokenizer.endId, tokenizer.padId]
      yield compareAbsolutely(name, `text ${i}`, tokenizer.encode([text], expected.length)[0], expected, 0)
    }
  }
  if (repaired > 0) yield { name: `${name}: repaired texts`, reason: `${repaired} texts that are repaired first` }
}

function readCase(where: string, item: unknown): { text: string; ids: number[]; changed: boolean } {
  const { text, ids, ftfy_changes_text } = isObject(item) ? item : {}
  const isIds = Array.isArray(ids) && ids.every(id => Number.isInteger(id))
  if (typeof text === 'string' && isIds) return { text, ids: ids as number[], changed: ftfy_changes_text === true }
  throw new FileError({ where, what: 'bad case', expected: 'text and ids', got: quoteValue(item) })
}

async function openTokenizer({ path, files }: GoldenFolder): Promise<CLIPTokenizer | undefined> {
  if (files.has('vocab.json') || files.has('tokenizer.json')) return CLIPTokenizer.open(path)
  if (!files.has(mergesFile)) return undefined
  const where = join(path, mergesFile)
  return new CLIPTokenizer(where, vocabularyOf(where, await unpack(where)))
}

async function unpack(where: string): Promise<string> {
  const { size } = await stat(where)
  if (size > maxMergeBytes) throw new FileError({ where, what: 'too large', expected: `${maxMergeBytes} bytes` })
  try {
    return gunzipSync(await readFile(where), { maxOutputLength: maxMergeBytes }).toString('utf8')
  } catch (cause) {
    throw new FileError({ where, what: 'cannot be unpacked', expected: `at most ${maxMergeBytes} bytes` }, { cause })
  }
}

/** Every byte has a character that can be seen; those, the same at the ends of words, and what merges make of them. */
function vocabularyOf(where: string, text: string): Vocabulary {
  const merges = text
    .split('\n')
    .slice(1, 1 + mergeCount)
    .map(line => line.split(' '))
  if (!merges.every((pair): pair is [string, string] => pair.length === 2))
    throw new FileError({ where, what: 'not a list of merges', expected: 'pairs of tokens' })
  const letters = byteLetters()
  const tokens = [
    ...letters,
    ...letters.map(letter => `${letter}</w>`),
    ...merges.map(pair => pair.join('')),
    '<|startoftext|>',
    '<|endoftext|>',
  ]
  return { ids: new Map(tokens.map((token, id) => [token, id])), merges }
}

/** A character for each byte: its own if it is one that can be seen, else one from 256 on. */
function byteLetters(): string[] {
  const visible = Array.from({ length: 256 }, (_, byte) => byte).filter(
    byte => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173),
  )
  const others = Array.from({ length: 256 - visible.length }, (_, i) => 256 + i)
  return [...visible, ...others].map(code => String.fromCharCode(code))
}
