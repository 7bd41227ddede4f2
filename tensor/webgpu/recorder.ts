// Gathers dispatches in one command encoder and hands them over in batches. Each dispatch has its own slot in a uniform
// arena; the arena is written once per batch, just before the batch is submitted, so no dispatch sees another's values.

import { packUniforms, slotBytes, type Uniforms } from './interface.js'
import type { Pipeline } from './pipelines.js'
import { Profiler } from './profiler.js'

// Dispatches and copies per batch. More would only delay the device's start.
const batchSize = 64
// Outputs of this many bytes in one batch are enough work to hand over, however few the commands.
const batchBytes = 2 ** 28

/** A dispatch but for its operands and uniforms. */
export interface Launch {
  readonly op: string
  readonly pipeline: Pipeline
  readonly grid: readonly [number, number, number]
  /** Bytes of the ranges that it may write. */
  readonly written: number
}

/** The commands of one device, in the order of their recording. A full batch is submitted before the next command. */
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
  /** Commands in this batch, those of them that have a slot in the arena, and the bytes that all of them may write. */
  #used = 0
  #slotsUsed = 0
  #written = 0

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

  /**
   * Records a dispatch whose bind group has the arena. Throws a KernelError for uniforms that do not fit the shader.
   */
  dispatch(launch: Launch, group: GPUBindGroup, uniforms: Uniforms): void {
    this.#makeRoom()
    const { name, interface: shader } = launch.pipeline
    const offset = this.#slotsUsed * slotBytes
    packUniforms(name, shader, uniforms, new DataView(this.#slots.buffer, offset, slotBytes))
    this.#slotsUsed++
    this.dispatchPacked(launch, group, offset)
  }

  /** The same with uniforms that are already at `offset` of the buffer in the bind group. */
  dispatchPacked({ op, pipeline, grid, written }: Launch, group: GPUBindGroup, offset: number): void {
    this.#makeRoom()
    const pass = this.#openPass(op, pipeline.name)
    pass.setPipeline(pipeline.pipeline)
    pass.setBindGroup(0, group, pipeline.interface.uniformBytes > 0 ? [offset] : [])
    pass.dispatchWorkgroups(...grid)
    this.#count(written)
    this.dispatches++
    if (this.profiler) this.#closePass()
  }

  /** Records a copy after everything recorded so far. Offsets and `bytes` are multiples of 4. */
  copy(source: GPUBuffer, sourceOffset: number, target: GPUBuffer, targetOffset: number, bytes: number): void {
    this.#makeRoom()
    this.#closePass()
    this.#encoder ??= this.device.createCommandEncoder({ label: `batch ${this.batch}` })
    this.#encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, bytes)
    this.#count(bytes)
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
    this.#used = this.#slotsUsed = this.#written = 0
    this.batch++
    this.submits++
  }

  destroy(): void {
    this.arena.destroy()
    this.profiler?.destroy()
  }

  #makeRoom(): void {
    if (this.#used === batchSize || this.#written > batchBytes) this.flush()
  }

  #count(written: number): void {
    this.#used++
    this.#written += written
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
