// From measured rows to a tune table: what `readTune` reads, and `openWebGpu({ tune })` takes instead of the rules.

import { readTune } from '../kernels/index.js'
import type { Tune } from '../tensor/index.js'
import type { Spread } from './measure.js'
import type { Measured, Report } from './report.js'

// Wins below are within what two measurements of the same differ by.
const least = 0.05
// A single round may have met a busy moment.
const fewest = 3

/**
 * Whether a variant is clearly faster: its median by a twentieth, and nine rounds out of ten than the other's median.
 */
export function winsClearly(candidate: Spread, rule: Spread): boolean {
  if (Math.min(candidate.rounds, rule.rounds) < fewest) return false
  return candidate.median <= (1 - least) * rule.median && candidate.p90 < rule.median
}

/** The variant that is clearly faster than the rule's choice in a case, the fastest of them. */
function winnerOf({ variant_seconds: spreads, chosen }: Measured): string | undefined {
  const rule = chosen === null ? undefined : spreads[chosen]
  if (!rule) return undefined
  const winners = Object.entries(spreads).filter(([, spread]) => winsClearly(spread, rule))
  return winners.sort(([, a], [, b]) => a.median - b.median)[0]?.[0]
}

/**
 * The text of a tune table for the report's adapter: a choice for each class of shapes whose cases all have the same
 * winner, and those of `table`, which was in force, for other classes.
 */
export function tuneText({ adapter, rows }: Pick<Report, 'adapter' | 'rows'>, table?: Tune): string {
  const winners = new Map<string, Set<string | undefined>>()
  for (const row of rows)
    if (row.chosen !== null && row.classes.length === 1) {
      const [key] = row.classes
      winners.set(key, (winners.get(key) ?? new Set()).add(winnerOf(row)))
    }
  const won = [...winners].flatMap(([key, names]) => {
    const [name] = names
    return names.size === 1 && name !== undefined ? [[key, name] as const] : []
  })
  const choices = Object.fromEntries([...(table?.choices ?? []), ...won])
  const text = `${JSON.stringify({ adapter, choices }, null, 1)}\n`
  readTune(text, 'the tune table to be saved')
  return text
}
