// Small systems of linear equations.

/** x of A x = b for a symmetric, positive definite A, by Cholesky's method. */
export function solveSymmetric(matrix: readonly (readonly number[])[], b: readonly number[]): number[] {
  const size = b.length
  const lower = matrix.map(row => [...row])
  for (let j = 0; j < size; j++) {
    for (let k = 0; k < j; k++) lower[j][j] -= lower[j][k] ** 2
    lower[j][j] = Math.sqrt(Math.max(lower[j][j], Number.MIN_VALUE))
    for (let i = j + 1; i < size; i++) {
      for (let k = 0; k < j; k++) lower[i][j] -= lower[i][k] * lower[j][k]
      lower[i][j] /= lower[j][j]
    }
  }
  const x = [...b]
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i] -= lower[i][k] * x[k]
    x[i] /= lower[i][i]
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i] -= lower[k][i] * x[k]
    x[i] /= lower[i][i]
  }
  return x
}
