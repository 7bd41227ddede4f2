// Tokenizer folders as checkpoints have them.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Vocabulary } from '../../models/clip/tokenizer.js'

/** Bytes as printable characters, in the order of CLIP's vocabulary. */
function byteCharacters(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)
  const bytes = Array.from({ length: 256 }, (_, byte) => byte)
  const others = bytes.filter(byte => !isPrintable(byte)).map((_, i) => 256 + i)
  return [...bytes.filter(isPrintable), ...others].map(code => String.fromCharCode(code))
}

/** The bytes, inside and at the end of a word, these merges ("c at</w>"), and the two special tokens with given ids. */
export function smallVocabulary(merges: readonly string[], startId = 598, endId = 599): Vocabulary {
  const bytes = byteCharacters()
  const pairs = merges.map(merge => merge.split(' ') as [string, string])
  const tokens = [...bytes, ...bytes.map(byte => `${byte}</w>`), ...pairs.map(pair => pair.join(''))]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  ids.set('<|startoftext|>', startId).set('<|endoftext|>', endId)
  return { ids, merges: pairs }
}

/** Makes the folder `path`, with vocab.json and merges.txt. */
export async function writeVocabulary(path: string, { ids, merges }: Vocabulary): Promise<void> {
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'vocab.json'), JSON.stringify(Object.fromEntries(ids)))
  const lines = ['#version: 0.2', ...merges.map(pair => pair.join(' '))]
  await writeFile(join(path, 'merges.txt'), `${lines.join('\n')}\n`)
}
