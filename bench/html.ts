// The report as one page: plots as inline SVG, no scripts, nothing to load.

import { escape, peerColour, ratesPlot, sharesPlot } from './plot.js'
import { complaints, heading, tableOf, type Report } from './report.js'

const style = `
:root { color-scheme: light dark; --ink: #1c1c1e; --quiet: #6b6b70; --page: #ffffff; --line: #e2e2e6;
  --ours: #2563b0; --variant: #a9c4e4; --peer0: #c2702f; --peer1: #3a8a5c; --peer2: #8a4f9e; --peer3: #b59a1f;
  --peer4: #3d9aa3; --peer5: #b8476b; --peer6: #77777c; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececee; --quiet: #a0a0a6; --page: #17171a; --line: #34343a;
  --ours: #6aa5ea; --variant: #36557b; --peer0: #e0955a; --peer1: #6cbf8f; --peer2: #bd86d0; --peer3: #d8c057;
  --peer4: #6cc3cb; --peer5: #e0789a; --peer6: #a0a0a6; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 68rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
p { margin: 0.2rem 0; color: var(--quiet); }
.legend { color: var(--ink); margin-top: 1rem; } .legend span { margin-right: 1.2rem; white-space: nowrap; }
.legend svg { width: 0.8rem; height: 0.8rem; margin-right: 0.35rem; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .title { font-weight: 600; } svg .quiet { fill: var(--quiet); } .track { fill: var(--line); }
.ours { fill: var(--ours); } .variant { fill: var(--variant); }
${Array.from({ length: 7 }, (_, i) => `.peer${i} { fill: var(--peer${i}); }`).join(' ')}
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
:is(th, td):nth-child(-n + 3) { text-align: left; } ul { color: var(--quiet); }
`

function legend({ rows, peers }: Report): string {
  const entries = [
    ['ours', 'ours'],
    ...(rows.some(({ chosen }) => chosen !== null) ? [['variant', 'our other variants']] : []),
    ...(rows.some(row => row.one_thread !== null) ? [['variant', 'ours on one thread']] : []),
    ...(rows.some(row => row.plain !== null) ? [['variant', 'ours without what the case is about']] : []),
    ...Object.entries(peers).map(([name, version], i) => [peerColour(i), `${name} ${version}`]),
  ]
  const swatch = (colour: string) =>
    `<svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="2" class="${colour}"/></svg>`
  return `<p class="legend">${entries.map(([colour, name]) => `<span>${swatch(colour)}${escape(name)}</span>`).join('')}</p>`
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
    legend(report),
    ...families.flatMap(family => [
      `<h2>${escape(family)}</h2>`,
      ratesPlot(
        rows.filter(({ kernel }) => kernel === family),
        names,
      ),
    ]),
    ...(ceiling ? ['<h2>Share of the measured ceiling</h2>', sharesPlot(report)] : []),
    '<h2>Figures</h2>',
    tableMarkup(report),
    ...(notes.length > 0 ? [`<ul>${notes.join('')}</ul>`] : []),
    '</body></html>',
    '',
  ].join('\n')
}
