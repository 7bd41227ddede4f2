// The result of a bench: what is kept as JSON, and the table for people.

import type { Ceiling } from './ceiling/ceiling.js'
import type { SizeClass } from './case.js'
import type { Spread } from './measure.js'

/** One case as it was measured. Rates are in `unit`, higher is better, medians by the clock on the wall; null where there is none. */
export interface Measured {
  readonly kernel: string
  readonly name: string
  readonly unit: 'GFLOP/s' | 'GB/s'
  /** Our rate. */
  readonly ours: number | null
  /** Our rate by the device's clock, without launch and wait. */
  readonly device: number | null
  readonly peers: Readonly<Record<string, number | null>>
  /** Shader files with their switches. */
  readonly variant: string
  readonly dispatches: number
  /** Work of one run: operations, and bytes of operands and output. */
  readonly flops: number
  readonly bytes: number
  /** Seconds per run. */
  readonly seconds: Spread | null
  readonly peer_seconds: Readonly<Record<string, Spread>>
  /** Seconds of the first run, which compiles. */
  readonly first_call: number | null
  /** Memory that one run takes beyond its operands. */
  readonly bytes_allocated: number
  /** Relative error of the checked output; null if the check could not be made. */
  readonly error: number | null
  /** What went wrong, ours under `ours`, peers under their names. */
  readonly notes: Readonly<Record<string, string>>
}

/** One case beside what the adapter can do. */
export interface Row extends Measured {
  /** Least time that the ceilings allow / time taken (by the device's clock, or else the wall's). */
  readonly ceiling_share: number | null
}

export interface Report {
  readonly adapter: string
  readonly runtime: string
  readonly shapes: SizeClass
  /** ISO 8601. */
  readonly date: string
  readonly ceiling: Ceiling | null
  /** Versions of the peers that ran. */
  readonly peers: Readonly<Record<string, string>>
  readonly rows: readonly Row[]
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))

/** A rate for people; a dash for none. */
export const showRate = (rate: number | null | undefined) => (rate == null ? '-' : digits(rate))

/** A time for people. */
export function showSeconds(seconds: number | null | undefined): string {
  if (seconds == null) return '-'
  const [scale, unit] = seconds < 1e-3 ? [1e6, 'us'] : seconds < 1 ? [1e3, 'ms'] : [1, 's']
  return `${digits(seconds * scale)} ${unit}`
}

/** Bytes for people. */
export function showBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${digits(bytes / 1024 ** step)} ${units[step]}`
}

const showShare = (share: number | null) => (share === null ? '-' : `${digits(100 * share)} %`)

const classNotes: Record<SizeClass, string> = {
  full: 'full shapes: what the model computes',
  software:
    'software shapes: scaled down to what a driver on the CPU can bear; they rank kernels, they tell nothing of a GPU',
}

/** The lines above the table: where this was measured, and against what. */
export function heading({ adapter, runtime, shapes, date, ceiling, peers }: Report): string[] {
  const lines = [`${runtime} on ${adapter}, ${date}`, classNotes[shapes]]
  if (ceiling) lines.push(`ceilings measured: ${digits(ceiling.gflops)} GFLOP/s, ${digits(ceiling.gbs)} GB/s`)
  const names = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  if (names.length > 0) lines.push(`peers on the same adapter: ${names.join(', ')}`)
  return lines
}

/** Column titles and rows of text, the first two columns to be set left. */
export function tableOf({ rows, peers }: Pick<Report, 'rows' | 'peers'>): string[][] {
  const names = Object.keys(peers)
  const titles = [
    'kernel',
    'case',
    'unit',
    'ours',
    'median',
    'p10..p90',
    'device',
    'of ceiling',
    'first call',
    'memory',
  ]
  return [
    [...titles, ...names],
    ...rows.map(row => [
      row.kernel,
      row.name,
      row.unit,
      showRate(row.ours),
      showSeconds(row.seconds?.median),
      row.seconds ? `${showSeconds(row.seconds.p10)}..${showSeconds(row.seconds.p90)}` : '-',
      showRate(row.device),
      showShare(row.ceiling_share),
      showSeconds(row.first_call),
      showBytes(row.bytes_allocated),
      ...names.map(name => showRate(row.peers[name])),
    ]),
  ]
}

/** What went wrong, a line each. */
export function complaints({ rows }: Pick<Report, 'rows'>): string[] {
  return rows.flatMap(row =>
    Object.entries(row.notes).map(([who, what]) => `${row.kernel} ${row.name}: ${who}: ${what}`),
  )
}

/** The whole report as lines of text. */
export function textOf(report: Report): string {
  const table = tableOf(report)
  const widths = table[0].map((_, column) => Math.max(...table.map(cells => cells[column].length)))
  const lines = table.map(cells =>
    cells
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  )
  return [...heading(report), '', ...lines, ...complaints(report).map(line => `! ${line}`)].join('\n')
}
