// Variants chosen by measurement: a table, written by the bench for one adapter, that overrules the kernels' rules.

import { quoteValue } from '../../tensor/files/quote.js'
import { FileError, type DType } from '../../tensor/index.js'
import type { AdapterFacts } from '../../tensor/webgpu/adapter.js'
import type { Tune } from '../../tensor/webgpu/launch.js'
import { isAble, variants, type Variant } from './variant.js'

/** A product of [m, k] by [k, n], or what an operation is as one. */
export interface ProductSizes {
  readonly m: number
  readonly n: number
  readonly k: number
}

const largest = 2 ** 20

/**
 * The class of a product in a tune table, as in `matmul m1024 n512 k512 f16`: its sizes rounded up to powers of two,
 * all from 2^20 on being one, and the dtype of its weight.
 */
export function shapeClass(op: string, { m, n, k }: ProductSizes, weight: DType): string {
  const size = (x: number) => Math.min(largest, 2 ** Math.ceil(Math.log2(Math.max(1, x))))
  return `${op} m${size(m)} n${size(n)} k${size(k)} ${weight}`
}

/**
 * What a table wants for a product: the choice for its class, else for its operation. Undefined where the table says
 * nothing, or something that this adapter cannot do.
 */
export function tuned(
  tune: Tune | undefined,
  op: string,
  sizes: ProductSizes,
  weight: DType,
  facts: AdapterFacts,
): Variant | undefined {
  const choice = tune?.choices.get(shapeClass(op, sizes, weight)) ?? tune?.choices.get(op)
  return variants.find(variant => variant === choice && isAble(variant, facts))
}

const maxBytes = 2 ** 20
const maxChoices = 4096
const classPattern = /^(matmul|conv|attention)( m\d{1,7} n\d{1,7} k\d{1,7} (f32|f16|bf16))?$/

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads a tune table, JSON `{"adapter": description, "choices": {class: variant}}`, where a class is that of
 * `shapeClass` or an operation alone for all its other classes, and adapter `*` means any. At most 1 MiB and 4096
 * choices.
 * @throws FileError for anything else
 */
export function readTune(text: string, where = 'tune'): Tune {
  const fail = (what: string, expected: string, got: unknown) =>
    new FileError({ where, what, expected, got: quoteValue(got) })
  if (text.length > maxBytes) throw fail('too long', `at most ${maxBytes} characters`, text.length)
  let table: unknown
  try {
    table = JSON.parse(text)
  } catch {
    throw fail('no JSON', '{"adapter": ..., "choices": {...}}', text)
  }
  if (!isRecord(table) || !isRecord(table.choices)) throw fail('no table', '{"adapter": ..., "choices": {...}}', text)
  const { adapter, choices, ...rest } = table
  if (Object.keys(rest).length > 0) throw fail('unknown fields', 'adapter and choices', Object.keys(rest))
  if (typeof adapter !== 'string' || adapter === '' || adapter.length > 200)
    throw fail('no adapter', "an adapter's description or *", adapter)
  const entries = Object.entries(choices)
  if (entries.length > maxChoices) throw fail('too many choices', `at most ${maxChoices}`, entries.length)
  return {
    adapter,
    choices: new Map(
      entries.map(([key, choice]) => {
        if (!classPattern.test(key)) throw fail('unknown class', 'as in matmul m1024 n512 k512 f16, or matmul', key)
        const variant = variants.find(known => known === choice)
        if (!variant) throw fail(`unknown variant for ${key}`, variants.join(', '), choice)
        return [key, variant]
      }),
    ),
  }
}
