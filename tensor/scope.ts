// Scopes: everything made inside is released at the end, except what the function returns.

import { LifetimeError } from './errors.js'
import type { Tensor } from './tensor.js'

const open: Set<Tensor>[] = []

/** Called by every new tensor: the innermost scope takes charge of it. */
export function enterScope(tensor: Tensor): void {
  open.at(-1)?.add(tensor)
}

/** Takes a tensor out of the open scopes: from now on the caller releases it. */
export function keep<T extends Tensor>(tensor: T): T {
  for (const scope of open) scope.delete(tensor)
  return tensor
}

function* tensorsIn(value: unknown): Generator<Tensor> {
  if (value === null || typeof value !== 'object') return
  if ('storage' in value && 'dispose' in value) yield value as Tensor
  else if (value instanceof Map) for (const item of value.values()) yield* tensorsIn(item)
  else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) yield* tensorsIn(item)
}

/** Releases every tensor in a value: a tensor, or arrays, maps and plain objects of them. */
export function disposeAll(value: unknown): void {
  for (const tensor of tensorsIn(value)) tensor.dispose()
}

/**
 * Runs `body` and releases every tensor made in it, except those in its result (a tensor, or arrays, maps and plain
 * objects of them); `made` lists the latter, of which nobody is in charge.
 */
export function harvest<T>(body: () => T): { result: T; made: Tensor[] } {
  const inside = new Set<Tensor>()
  open.push(inside)
  try {
    const result = body()
    if (result instanceof Promise)
      throw new LifetimeError({
        where: 'scope',
        what: 'body is asynchronous',
        hint: 'awaiting outside the scope, or `using`',
      })
    const made = [...tensorsIn(result)].filter(tensor => inside.delete(tensor))
    return { result, made }
  } finally {
    open.pop()
    for (const tensor of inside) tensor.dispose()
  }
}

/**
 * Runs `body` and releases every tensor made in it, except those in its result (a tensor, or arrays, maps and plain
 * objects of them), which pass to the enclosing scope. `body` must be synchronous: recording an operation never waits.
 */
export function scope<T>(body: () => T): T {
  const { result, made } = harvest(body)
  for (const tensor of made) enterScope(tensor)
  return result
}
