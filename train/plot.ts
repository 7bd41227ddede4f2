// The course of a training run as a picture: curves over steps, on a logarithmic scale, as SVG.

/** A number that was told at each step. */
export interface Curve {
  readonly name: string
  readonly points: readonly (readonly [step: number, value: number])[]
}

const size = { width: 900, height: 420, left: 70, right: 130, top: 20, bottom: 40 }
// Okabe and Ito's palette, which the colour-blind can tell apart.
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']
// Curves are drawn through the means of so many pieces.
const pieces = 200

/** Draws curves of positive numbers, each through the means of neighbouring steps. */
export function drawCurves(title: string, curves: readonly Curve[]): string {
  const smooth = curves.map(({ name, points }) => ({ name, points: meansOf(points.filter(([, value]) => value > 0)) }))
  const all = smooth.flatMap(({ points }) => points)
  const last = Math.max(1, ...all.map(([step]) => step))
  const logs = all.map(([, value]) => Math.log10(value))
  const [low, high] = all.length === 0 ? [0, 1] : [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs) + 1e-9)]
  const x = (step: number) => size.left + (step / last) * (size.width - size.left - size.right)
  const y = (log: number) =>
    size.height - size.bottom - ((log - low) / Math.max(1, high - low)) * (size.height - size.top - size.bottom)
  const decades = Array.from({ length: high - low + 1 }, (_, i) => low + i)
  const lines = decades.map(
    decade =>
      `<line x1="${size.left}" x2="${size.width - size.right}" y1="${y(decade)}" y2="${y(decade)}" stroke="#ddd"/>` +
      text(size.left - 8, y(decade) + 4, `1e${decade}`, 'end'),
  )
  const drawn = smooth.map(({ name, points }, i) => {
    const colour = colours[i % colours.length]
    const path = points.map(([step, value]) => `${x(step).toFixed(1)},${y(Math.log10(value)).toFixed(1)}`).join(' ')
    const label = text(size.width - size.right + 8, size.top + 16 * (i + 1), name, 'start', colour)
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${label}`
  })
  const foot = text((size.left + size.width - size.right) / 2, size.height - 10, `${title}: ${last} steps`, 'middle')
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" font-family="sans-serif" font-size="12">`
  return [head, '<rect width="100%" height="100%" fill="white"/>', ...lines, ...drawn, foot, '</svg>', ''].join('\n')
}

function text(x: number, y: number, content: string, anchor: string, colour = '#333'): string {
  const safe = content.replace(/[&<>]/g, sign => `&#${sign.charCodeAt(0)};`)
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}">${safe}</text>`
}

function meansOf(points: readonly (readonly [number, number])[]): [number, number][] {
  const each = Math.ceil(points.length / pieces)
  return Array.from({ length: Math.ceil(points.length / Math.max(1, each)) }, (_, i) => {
    const part = points.slice(i * each, (i + 1) * each)
    const mean = (axis: 0 | 1) => part.reduce((sum, point) => sum + point[axis], 0) / part.length
    return [mean(0), mean(1)]
  })
}
