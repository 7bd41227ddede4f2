// Recorded dispatches in the form in which they run again: all uniforms in one buffer, written once, bind groups made.

import { blockAt } from '../block-storage.js'
import type { Place } from '../recording.js'
import { packUniforms, slotBytes, type Uniforms } from './interface.js'
import type { BoundRange, Pipelines } from './pipelines.js'
import type { GpuBlock } from './pool.js'
import type { Launch, Recorder } from './recorder.js'

/** A range whose buffer may not be known yet. */
export interface PlacedRange extends Omit<BoundRange, 'block'> {
  readonly place: Place<GpuBlock>
}

/** A dispatch as it is recorded. */
export interface RecordedDispatch extends Launch {
  readonly ranges: readonly PlacedRange[]
  readonly uniforms: Uniforms
}

/** The same range of its block. */
export function bound({ place, ...range }: PlacedRange): BoundRange {
  return { ...range, block: blockAt(place, 'capture') }
}

/** Captured work: a list of dispatches that can be recorded any number of times, on the same memory. */
export class Replay {
  readonly #uniforms: GPUBuffer
  readonly #groups: readonly GPUBindGroup[]

  /** All places must be settled. */
  constructor(
    device: GPUDevice,
    pipelines: Pipelines,
    private readonly dispatches: readonly RecordedDispatch[],
  ) {
    const slots = new ArrayBuffer(Math.max(1, dispatches.length) * slotBytes)
    dispatches.forEach(({ pipeline, uniforms }, i) =>
      packUniforms(pipeline.name, pipeline.interface, uniforms, new DataView(slots, i * slotBytes, slotBytes)),
    )
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST
    this.#uniforms = device.createBuffer({ label: 'captured uniforms', size: slots.byteLength, usage })
    device.queue.writeBuffer(this.#uniforms, 0, slots)
    this.#groups = dispatches.map(({ pipeline, ranges }) =>
      pipelines.createGroup(pipeline, ranges.map(bound), this.#uniforms),
    )
  }

  /** Hands dispatch after dispatch to the recorder. */
  run(recorder: Recorder): void {
    this.dispatches.forEach((dispatch, i) => recorder.dispatchPacked(dispatch, this.#groups[i], i * slotBytes))
  }

  /** The commands that use it must have been submitted. */
  destroy(): void {
    this.#uniforms.destroy()
  }
}
