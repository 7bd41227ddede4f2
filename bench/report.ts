// The result of a bench: what is kept as JSON, and the table for people.

import type { Ceiling } from './ceiling/ceiling.js'
import type { SizeClass } from './case.js'
import type { Spread } from './measure.js'
import { nativePeers } from './peers/protocol.js'

/**
 * One case as it was measured. Rates are in `unit`, higher is better, medians by the clock on the wall; null where
 * there is none.
 */
export interface Measured {
  readonly kernel: string
  readonly name: string
  readonly unit: 'GFLOP/s' | 'GB/s'
  /** Our rate. */
  readonly ours: number | null
  /** Our rate by the device's clock, without launch and wait. */
  readonly device: number | null
  /** Our rate on one thread, where there were more. */
  readonly one_thread: number | null
  /** Our rate without what the case is about, where there is such a way. */
  readonly plain: number | null
  readonly peers: Readonly<Record<string, number | null>>
  /** Shader files with their switches. */
  readonly variant: string
  /** The name of the variant that the rule, or the tune table, took; null where variants were not compared. */
  readonly chosen: string | null
  /** Our rate with each variant that the adapter can run. */
  readonly variants: Readonly<Record<string, number | null>>
  /** Classes of shapes, as a tune table names them. */
  readonly classes: readonly string[]
  readonly dispatches: number
  /** Work of one run: operations, and bytes of operands and output. */
  readonly flops: number
  readonly bytes: number
  /** Seconds per run. */
  readonly seconds: Spread | null
  readonly plain_seconds: Spread | null
  readonly variant_seconds: Readonly<Record<string, Spread>>
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
  /** How many threads the runtime has; null where that is not known. */
  readonly threads: number | null
  readonly shapes: SizeClass
  /** ISO 8601. */
  readonly date: string
  readonly ceiling: Ceiling | null
  /** What one thread can do, where there are more. */
  readonly ceiling_one_thread: Ceiling | null
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
export function heading(report: Report): string[] {
  const { adapter, runtime, shapes, date, ceiling, ceiling_one_thread: single, peers } = report
  const lines = [`${runtime} on ${adapter}, ${date}`, classNotes[shapes]]
  const showCeiling = ({ gflops, gbs }: Ceiling) => `${digits(gflops)} GFLOP/s, ${digits(gbs)} GB/s`
  if (ceiling) lines.push(`ceilings measured: ${showCeiling(ceiling)}`)
  if (single) lines.push(`of one thread: ${showCeiling(single)}`)
  const names = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  if (names.length > 0) lines.push(`peers by turns with us: ${names.join(', ')}`)
  return lines
}

const native: readonly string[] = nativePeers

/** Our rate over that of the fastest peer, and who that is, native ones apart; undefined where either is missing. */
export function lead({ ours, peers }: Pick<Measured, 'ours' | 'peers'>): { times: number; peer: string } | undefined {
  const rates = Object.entries(peers).flatMap(([peer, rate]) =>
    rate === null || native.includes(peer) ? [] : [{ peer, rate }],
  )
  const best = rates.sort((a, b) => b.rate - a.rate)[0]
  return ours === null || !best ? undefined : { times: ours / best.rate, peer: best.peer }
}

/** A ratio for people. */
export const showTimes = (times: number) => `${times.toFixed(2)}x`

function showLead(row: Row): string {
  const found = lead(row)
  return found ? `${showTimes(found.times)} ${found.peer}` : '-'
}

const showRatio = (rate: number | null, other: number | null) => (rate && other ? showTimes(rate / other) : '-')

interface Column {
  title: string
  cell(row: Row): string
}

/** Column titles and rows of text, the first three columns to be set left. */
export function tableOf({ rows, peers, threads }: Pick<Report, 'rows' | 'peers' | 'threads'>): string[][] {
  const names = Object.keys(peers)
  const columns: Column[] = [
    { title: 'kernel', cell: row => row.kernel },
    { title: 'case', cell: row => row.name },
    { title: 'unit', cell: row => row.unit },
    { title: 'ours', cell: row => showRate(row.ours) },
    { title: 'median', cell: row => showSeconds(row.seconds?.median) },
    {
      title: 'p10..p90',
      cell: ({ seconds }) => (seconds ? `${showSeconds(seconds.p10)}..${showSeconds(seconds.p90)}` : '-'),
    },
    { title: 'device', cell: row => showRate(row.device) },
    { title: 'of ceiling', cell: row => showShare(row.ceiling_share) },
    { title: 'first call', cell: row => showSeconds(row.first_call) },
    { title: 'memory', cell: row => showBytes(row.bytes_allocated) },
  ]
  if (threads !== null && threads > 1)
    columns.push(
      { title: '1 thread', cell: row => showRate(row.one_thread) },
      { title: 'scaling', cell: row => showRatio(row.ours, row.one_thread) },
    )
  if (rows.some(({ plain }) => plain !== null))
    columns.push(
      { title: 'plain', cell: row => showRate(row.plain) },
      { title: 'gain', cell: row => showRatio(row.ours, row.plain) },
    )
  columns.push(...names.map(name => ({ title: name, cell: (row: Row) => showRate(row.peers[name]) })))
  if (names.length > 0) columns.push({ title: 'to the best', cell: showLead })
  return [columns.map(({ title }) => title), ...rows.map(row => columns.map(({ cell }) => cell(row)))]
}

/** The same for our variants, one column each; undefined where none were compared. The one in use has a star. */
export function variantsTable({ rows }: Pick<Report, 'rows'>): string[][] | undefined {
  const compared = rows.filter(({ chosen }) => chosen !== null)
  if (compared.length === 0) return undefined
  const names = [...new Set(compared.flatMap(({ variants }) => Object.keys(variants)))]
  return [
    ['kernel', 'case', 'unit', ...names],
    ...compared.map(({ kernel, name, unit, chosen, variants }) => [
      kernel,
      name,
      unit,
      ...names.map(variant => `${showRate(variants[variant])}${variant === chosen ? '*' : ' '}`),
    ]),
  ]
}

/** What went wrong, a line each. */
export function complaints({ rows }: Pick<Report, 'rows'>): string[] {
  return rows.flatMap(row =>
    Object.entries(row.notes).map(([who, what]) => `${row.kernel} ${row.name}: ${who}: ${what}`),
  )
}

function linesOf(table: readonly string[][]): string[] {
  const widths = table[0].map((_, column) => Math.max(...table.map(cells => cells[column].length)))
  return table.map(cells =>
    cells
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  )
}

/** The whole report as lines of text. */
export function textOf(report: Report): string {
  const variants = variantsTable(report)
  return [
    ...heading(report),
    '',
    ...linesOf(tableOf(report)),
    ...(variants ? ['', 'our variants (* the one in use)', ...linesOf(variants)] : []),
    ...complaints(report).map(line => `! ${line}`),
  ].join('\n')
}
