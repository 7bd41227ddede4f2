// Recorded dispatches in the form in which they run again: all uniforms in one buffer, written once, and bind groups made.

import { insideCapture, settled, type Place } from '../recording.js'
import { packUniforms, type Uniforms } from './interface.js'
import type { BoundRange, Pipeline, Pipelines } from './pipelines.js'
import type { GpuBlock } from './pool.js'
import { slotBytes, type Recorder } from './recorder.js'

/** A range whose buffer may not be known yet. */
export interface PlacedRange extends Omit<BoundRange, 'block'> {
  readonly place: Place<GpuBlock>
}

/** A dispatch as it is recorded. */
export interface RecordedDispatch {
  readonly op: string
  readonly pipeline: Pipeline
  readonly ranges: readonly PlacedRange[]
  readonly uniforms: Uniforms
  readonly grid: readonly [number, number, number]
  /** Bytes of the ranges that it may write. */
  readonly written: number
}

/** The same range of its block. */
export function bound({ place, ...range }: PlacedRange): BoundRange {
  const block = settled(place)
  if (!block) throw insideCapture('capture')
  return { ...range, block }
}

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

  /** Hands dispatch after dispatch to the recorder; `account` is told after each how much it writes. */
  run(recorder: Recorder, account: (written: number) => void): void {
    this.dispatches.forEach(({ op, pipeline, grid, written }, i) => {
      recorder.dispatchPacked(op, pipeline, this.#groups[i], i * slotBytes, grid)
      account(written)
    })
  }

  /** The commands that use it must have been submitted. */
  destroy(): void {
    this.#uniforms.destroy()
  }
}
