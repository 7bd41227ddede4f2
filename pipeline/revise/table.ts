// What the stages took, beside what the paper says.

import { paperSeconds, type ReviseStage } from './settings.js'
import type { StageReport } from './events.js'

const titles: Readonly<Record<ReviseStage, string>> = { s1: 'coarse video', s2: 'motion', s3: 'video' }

/** A table for people, a line each; `showBytes` writes amounts of memory. */
export function tableOf(stages: readonly StageReport[], showBytes: (bytes: number) => string): string[] {
  const seconds = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0)
  const rows = [
    ['stage', 'time', 'peak memory', 'paper (A100, 32 frames)'],
    ...stages.map(({ stage, seconds, peakBytes, reused }) => [
      `${stage} ${titles[stage]}`,
      `${seconds.toFixed(1)} s${reused ? ' (before)' : ''}`,
      showBytes(peakBytes),
      `${paperSeconds[stage]} s`,
    ]),
    [
      'all',
      `${seconds(stages.map(({ seconds }) => seconds)).toFixed(1)} s`,
      showBytes(Math.max(...stages.map(({ peakBytes }) => peakBytes))),
      `${seconds(stages.map(({ stage }) => paperSeconds[stage]))} s`,
    ],
  ]
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  return rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  )
}
