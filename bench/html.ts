// The report as one page: plots as inline SVG, no scripts, nothing to load.

import { complaints, heading, showRate, tableOf, type Report, type Row } from './report.js'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escape = (text: string) => text.replace(/[&<>"']/g, sign => escapes[sign])

const style = `
:root { color-scheme: light dark; --ink: #1c1c1e; --quiet: #6b6b70; --page: #ffffff; --line: #dcdce0;
  --ours: #2563b0; --peer0: #c2702f; --peer1: #3a8a5c; --peer2: #8a4f9e; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececee; --quiet: #a0a0a6; --page: #17171a; --line: #3a3a40;
  --ours: #6aa5ea; --peer0: #e0955a; --peer1: #6cbf8f; --peer2: #bd86d0; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 64rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } p { margin: 0.2rem 0; color: var(--quiet); }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .quiet { fill: var(--quiet); } svg .track { fill: var(--line); }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
:is(th, td):nth-child(-n + 3) { text-align: left; } ul { color: var(--quiet); }
`

const width = 960
const left = 330
const right = 110
const bar = 16
const colour = (series: number) => (series === 0 ? 'var(--ours)' : `var(--peer${(series - 1) % 3})`)

/** Bars of one case, ours first, on a scale of their own: the cases of a family differ too much for a common one. */
function group(row: Row, names: readonly string[], top: number): { svg: string; height: number } {
  const series = [{ name: 'ours', rate: row.ours }, ...names.map(name => ({ name, rate: row.peers[name] ?? null }))]
  const most = Math.max(...series.map(({ rate }) => rate ?? 0), Number.MIN_VALUE)
  const bars = series.map(({ name, rate }, i) => {
    const y = top + i * (bar + 2)
    const length = ((rate ?? 0) / most) * (width - left - right)
    const label = rate === null ? `${name}: none` : `${showRate(rate)} ${i === 0 ? row.unit : name}`
    return (
      `<rect x="${left}" y="${y}" width="${Math.max(length, 1).toFixed(1)}" height="${bar}" rx="2" fill="${colour(i)}"/>` +
      `<text x="${(left + length + 6).toFixed(1)}" y="${y + bar - 4}" class="${i === 0 ? '' : 'quiet'}">${escape(label)}</text>`
    )
  })
  const title = `<text x="${left - 8}" y="${top + bar - 4}" text-anchor="end">${escape(row.name)}</text>`
  return { svg: title + bars.join(''), height: series.length * (bar + 2) + 10 }
}

/** Rates of one family, case by case. */
function ratesPlot(rows: readonly Row[], names: readonly string[]): string {
  let top = 4
  const groups = rows.map(row => {
    const { svg, height } = group(row, names, top)
    top += height
    return svg
  })
  return `<svg viewBox="0 0 ${width} ${top}" role="img" aria-label="Rates">${groups.join('')}</svg>`
}

/** How near each case comes to what the adapter can do. */
function sharesPlot(rows: readonly Row[]): string {
  const lines = rows.map(({ kernel, name, ceiling_share: share }, i) => {
    const y = 4 + i * (bar + 6)
    const full = width - left - right
    const length = Math.min(1, share ?? 0) * full
    const label = share === null ? 'none' : `${(100 * share).toFixed(1)} %`
    return (
      `<text x="${left - 8}" y="${y + bar - 4}" text-anchor="end">${escape(`${kernel} ${name}`)}</text>` +
      `<rect x="${left}" y="${y}" width="${full}" height="${bar}" rx="2" class="track"/>` +
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${bar}" rx="2" fill="${colour(0)}"/>` +
      `<text x="${left + full + 6}" y="${y + bar - 4}">${label}</text>`
    )
  })
  const height = 8 + rows.length * (bar + 6)
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Shares of the ceiling">${lines.join('')}</svg>`
}

function tableMarkup(report: Report): string {
  const [titles, ...rows] = tableOf(report).map(cells => cells.map(escape))
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map(cell => `<${tag}>${cell}</${tag}>`).join('')}</tr>`
  const body = rows.map(cells => line(cells, 'td')).join('\n')
  return `<div class="table"><table><thead>${line(titles, 'th')}</thead><tbody>\n${body}\n</tbody></table></div>`
}

/** A self-contained page. */
export function pageOf(report: Report): string {
  const { rows, ceiling } = report
  const names = Object.keys(report.peers)
  const families = [...new Set(rows.map(({ kernel }) => kernel))]
  const notes = complaints(report).map(line => `<li>${escape(line)}</li>`)
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>ReVision benchmark</title><style>${style}</style></head><body>`,
    '<h1>ReVision benchmark</h1>',
    ...heading(report).map(line => `<p>${escape(line)}</p>`),
    ...families.flatMap(family => [
      `<h2>${escape(family)}</h2>`,
      ratesPlot(
        rows.filter(({ kernel }) => kernel === family),
        names,
      ),
    ]),
    ...(ceiling ? ['<h2>Share of the measured ceiling</h2>', sharesPlot(rows)] : []),
    '<h2>Figures</h2>',
    tableMarkup(report),
    ...(notes.length > 0 ? [`<ul>${notes.join('')}</ul>`] : []),
    '</body></html>',
    '',
  ].join('\n')
}
