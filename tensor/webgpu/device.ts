// A WebGPU device with everything of the adapter that kernels can use.

import { AdapterError } from '../errors.js'
import { describeAdapter, featureNames, limitNames } from './adapter.js'
import type { AdapterFacts, OpenedAdapter } from './adapter.js'
import { patiently } from './patience.js'

/** An open device. `facts` are the adapter's, and hold for the device: it has all those features and limits. */
export interface OpenedDevice {
  device: GPUDevice
  facts: AdapterFacts
  /** Resolves with the reason when the device is gone, by close() or by accident; never rejects. */
  lost: Promise<string>
  /** Hands a promise of the device through: a read or the end of submitted work goes faster if awaited by this. */
  wait<T>(promise: Promise<T>): Promise<T>
  /**
   * Destroys the device with all its buffers, after the work in flight; pending reads reject. Call it when done: a
   * process also ends without it, but only once the work in flight is done.
   */
  close(): Promise<void>
}

// An adapter makes one device only; Dawn hands out a second one that is already lost.
const spent = new WeakSet<GPUAdapter>()

/**
 * Opens the adapter's device, with its features of `featureNames` and its best values of `limitNames`.
 * @throws AdapterError if the adapter has made a device before, or makes none
 */
export async function openDevice({ adapter, description }: OpenedAdapter, label = 'revision'): Promise<OpenedDevice> {
  const where = `device of ${description}`
  if (spent.has(adapter)) {
    throw new AdapterError({ where, what: 'the adapter has made its device', hint: 'openAdapter once more' })
  }
  spent.add(adapter)
  const facts = describeAdapter(adapter)
  const requiredFeatures = Object.values(featureNames).filter(name => adapter.features.has(name)) as GPUFeatureName[]
  const requiredLimits = Object.fromEntries(limitNames.map(name => [name, facts.limits[name]]))
  const device = await adapter.requestDevice({ label, requiredFeatures, requiredLimits }).catch((cause: Error) => {
    throw new AdapterError({ where, what: 'refused', got: cause.message.split('\n')[0] }, { cause })
  })
  const lost = device.lost.then(({ reason, message }) => `${reason}: ${message}`)
  // In browsers the shaders run in another process, and the main thread may not block.
  const napping = facts.isFallback && typeof setImmediate === 'function'
  const close = async () => {
    device.destroy()
    await lost
  }
  const wait = <T>(promise: Promise<T>) => (napping ? patiently(promise) : promise)
  return { device, facts, lost, wait, close }
}
