// The error function in double precision: Maclaurin's series near 0, a continued fraction of erfc beyond.

/** 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
      if (term === 0) break
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  // Evaluated from the far end: erfc(a) = exp(-a^2) / sqrt(pi) / (a + (1/2) / (a + 1 / (a + (3/2) / (a + ...)))).
  let fraction = a
  for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction)
}
