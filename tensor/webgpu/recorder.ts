// Gathers dispatches in one command encoder and hands them over in batches. Each dispatch has its own slot in a uniform
// arena; the arena is written once per batch, just before the batch is submitted, so no dispatch sees another's values.

import { packUniforms, type Uniforms } from './interface.js'
import type { Pipeline } from './pipelines.js'
import { Profiler } from './profiler.js'

/** Dispatches per batch. More would only delay the device's start. */
export const batchSize = 64
/** Bytes between the uniforms of two dispatches: minUniformBufferOffsetAlignment is 256 or less on every device. */
export const slotBytes = 256

export class Recorder {
  /** Number of the batch being recorded; counts from 1. */
  batch = 1
  dispatches = 0
  submits = 0
  readonly arena: GPUBuffer
  readonly profiler: Profiler | undefined
  readonly #slots = new DataView(new ArrayBuffer(batchSize * slotBytes))
  #encoder: GPUCommandEncoder | undefined
  #pass: GPUComputePassEncoder | undefined
  /** Dispatches in this batch, and those of them that have a slot in the arena. */
  #used = 0
  #slotsUsed = 0

  constructor(
    private readonly device: GPUDevice,
    profile: boolean,
  ) {
    this.arena = device.createBuffer({
      label: 'uniform arena',
      size: batchSize * slotBytes,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
    if (profile) this.profiler = new Profiler(device, batchSize)
  }

  dispatch(
    op: string,
    pipeline: Pipeline,
    group: GPUBindGroup,
    uniforms: Uniforms,
    grid: readonly [number, number, number],
  ): void {
    if (this.#used === batchSize) this.flush()
    const offset = this.#slotsUsed++ * slotBytes
    packUniforms(pipeline.name, pipeline.interface, uniforms, new DataView(this.#slots.buffer, offset, slotBytes))
    this.dispatchPacked(op, pipeline, group, offset, grid)
  }

  /** The same with uniforms that are already at `offset` of the buffer in the bind group. */
  dispatchPacked(
    op: string,
    pipeline: Pipeline,
    group: GPUBindGroup,
    offset: number,
    grid: readonly [number, number, number],
  ): void {
    if (this.#used === batchSize) this.flush()
    const pass = this.#openPass(op, pipeline.name)
    pass.setPipeline(pipeline.pipeline)
    pass.setBindGroup(0, group, pipeline.interface.uniformBytes > 0 ? [offset] : [])
    pass.dispatchWorkgroups(...grid)
    this.#used++
    this.dispatches++
    if (this.profiler) this.#closePass()
  }

  /** Records a copy after everything recorded so far. */
  copy(source: GPUBuffer, target: GPUBuffer, targetOffset: number, bytes: number): void {
    this.#closePass()
    this.#encoder ??= this.device.createCommandEncoder({ label: `batch ${this.batch}` })
    this.#encoder.copyBufferToBuffer(source, 0, target, targetOffset, bytes)
  }

  /** Submits what is recorded; a no-op when nothing is. */
  flush(): void {
    if (!this.#encoder) return
    this.#closePass()
    const bytes = this.#slotsUsed * slotBytes
    if (bytes > 0) this.device.queue.writeBuffer(this.arena, 0, this.#slots.buffer, 0, bytes)
    this.profiler?.resolve(this.#encoder)
    this.device.queue.submit([this.#encoder.finish()])
    this.profiler?.collect()
    this.#encoder = undefined
    this.#used = this.#slotsUsed = 0
    this.batch++
    this.submits++
  }

  destroy(): void {
    this.arena.destroy()
    this.profiler?.destroy()
  }

  #openPass(op: string, shader: string): GPUComputePassEncoder {
    this.#encoder ??= this.device.createCommandEncoder({ label: `batch ${this.batch}` })
    this.#pass ??= this.#encoder.beginComputePass({
      label: shader,
      timestampWrites: this.profiler?.next(op, shader),
    })
    return this.#pass
  }

  #closePass(): void {
    this.#pass?.end()
    this.#pass = undefined
  }
}
