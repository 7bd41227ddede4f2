// Waiting for a software adapter without starving it.
//
// While a promise of Dawn is pending, Dawn polls for it on every turn of Node's event loop, with a whole core. On a
// software adapter that core is one of those that run the shaders: on two cores, work takes 1.3 to 1.4 times as long.

/** Longest nap in milliseconds: how late anything else on the event loop may become. */
const longestNap = 1

const cell = typeof SharedArrayBuffer === 'undefined' ? undefined : new Int32Array(new SharedArrayBuffer(4))
let waits = 0
let since = 0
// One chain of naps serves all waits, however many follow one another.
let napping = false

/** Naps an eighth of the time waited so far, so that short waits stay short. */
function nap(): void {
  napping = waits > 0 && cell !== undefined
  if (!napping || cell === undefined) return
  Atomics.wait(cell, 0, 0, Math.min(longestNap, (performance.now() - since) / 8))
  setImmediate(nap)
}

/** The promise itself; until it settles, the main thread leaves its core to the shaders. Node only. */
export async function patiently<T>(promise: Promise<T>): Promise<T> {
  if (waits++ === 0) since = performance.now()
  if (!napping) {
    napping = true
    setImmediate(nap)
  }
  try {
    return await promise
  } finally {
    waits--
  }
}
