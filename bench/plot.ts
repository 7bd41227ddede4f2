// Bar plots as inline SVG.

import { lead, showRate, showTimes, type Report, type Row } from './report.js'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it may stand in markup. */
export const escape = (text: string) => text.replace(/[&<>"']/g, sign => escapes[sign])

const width = 1000
const left = 380
const full = 410
const bar = 16
const step = bar + 3
// In wide fonts no more fit to the left.
const mostLetters = 46

interface Bar {
  readonly label: string
  /** Of the full width; null for none. */
  readonly length: number | null
  /** A class of the page's style. */
  readonly colour: string
}

interface Group {
  readonly title: string
  /** Below the title. */
  readonly remark?: string
  readonly bars: readonly Bar[]
}

/** The class that colours a peer, by its place in the report. */
export const peerColour = (index: number) => `peer${index % 7}`

function drawBar({ label, length, colour }: Bar, y: number, track: boolean): string {
  const long = Math.min(1, length ?? 0) * full
  const rect = (width: number, name: string) =>
    `<rect x="${left}" y="${y}" width="${width.toFixed(1)}" height="${bar}" rx="2" class="${name}"/>`
  return [
    track ? rect(full, 'track') : '',
    length === null ? '' : rect(Math.max(long, 1), colour),
    `<text x="${(left + (track ? full : long) + 6).toFixed(1)}" y="${y + bar - 4}">${escape(label)}</text>`,
  ].join('')
}

/** Groups of bars, one below the other. With a `track`, what is missing to the full length is seen. */
function plot(name: string, groups: readonly Group[], track = false): string {
  let top = 4
  const parts = groups.map(({ title, remark, bars }) => {
    const start = top
    top += Math.max(bars.length, remark === undefined ? 1 : 2) * step + (track ? 3 : 12)
    const text = (line: string, row: number, style: string) => {
      const squeezed = line.length > mostLetters ? ` textLength="${left - 12}" lengthAdjust="spacingAndGlyphs"` : ''
      const place = `x="${left - 8}" y="${start + row * step + bar - 4}" text-anchor="end"`
      return `<text ${place}${squeezed} class="${style}">${escape(line)}</text>`
    }
    return [
      text(title, 0, 'title'),
      remark === undefined ? '' : text(remark, 1, 'quiet'),
      ...bars.map((item, i) => drawBar(item, start + i * step, track)),
    ].join('')
  })
  return `<svg viewBox="0 0 ${width} ${top}" role="img" aria-label="${escape(name)}">${parts.join('\n')}</svg>`
}

/** Who stands in a row, ours first; peers that cannot do the task are left out. */
function seriesOf(row: Row, peers: readonly string[]): { label: string; rate: number | null; colour: string }[] {
  const { ours, unit, chosen, one_thread: single, plain, variants, notes } = row
  const others = Object.entries(variants).filter(([name]) => name !== chosen)
  return [
    { label: chosen === null ? unit : `${unit}, ${chosen}`, rate: ours, colour: 'ours' },
    ...(single === null ? [] : [{ label: 'one thread', rate: single, colour: 'variant' }]),
    ...(plain === null ? [] : [{ label: 'plain', rate: plain, colour: 'variant' }]),
    ...others.map(([label, rate]) => ({ label, rate, colour: 'variant' })),
    ...peers
      .map((label, i) => ({ label, rate: row.peers[label] ?? null, colour: peerColour(i) }))
      .filter(({ label, rate }) => rate !== null || label in notes),
  ]
}

/** Rates case by case, each on a scale of its own: the cases of a family differ too much for a common one. */
export function ratesPlot(rows: readonly Row[], peers: readonly string[]): string {
  const groups = rows.map((row): Group => {
    const series = seriesOf(row, peers)
    const most = Math.max(...series.map(({ rate }) => rate ?? 0), Number.MIN_VALUE)
    const found = lead(row)
    return {
      title: row.name,
      remark: found && `${showTimes(found.times)} ${found.peer}`,
      bars: series.map(({ label, rate, colour }, i) => ({
        label: rate === null ? `${i === 0 ? 'ours' : label}: none` : `${showRate(rate)} ${label}`,
        length: rate === null ? null : rate / most,
        colour,
      })),
    }
  })
  return plot('Rates', groups)
}

/** How near each case comes to what the adapter can do. */
export function sharesPlot({ rows }: Pick<Report, 'rows'>): string {
  const groups = rows.map(({ kernel, name, ceiling_share: share }): Group => {
    const label = share === null ? 'none' : `${(100 * share).toFixed(1)} %`
    return { title: `${kernel} ${name}`, bars: [{ label, length: share, colour: 'ours' }] }
  })
  return plot('Shares of the ceiling', groups, true)
}
