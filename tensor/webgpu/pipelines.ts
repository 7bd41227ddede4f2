// Pipelines, compiled once per shader file and set of defines, and their bind groups, made once per set of buffers.

import { KernelError } from '../errors.js'
import { readInterface, type ShaderInterface } from './interface.js'
import { annotate, preprocess, type Defines } from './preprocess.js'

/** A compiled shader with what it wants from the host. */
export interface Pipeline {
  readonly name: string
  readonly id: number
  readonly interface: ShaderInterface
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

/** One buffer range of a bind group. */
export interface BoundRange {
  readonly index: number
  readonly id: number
  readonly buffer: GPUBuffer
  readonly offset: number
  readonly size: number
}

// A steady loop needs a few hundred; far more means that sizes keep changing and old groups will not come again.
const maxBindGroups = 4096

export class Pipelines {
  readonly #pipelines = new Map<string, Pipeline>()
  readonly #groups = new Map<string, GPUBindGroup>()

  constructor(
    private readonly device: GPUDevice,
    private readonly files: Readonly<Record<string, string>>,
    /** Takes the promise of a compile's outcome; a rejection is thrown at the next wait. */
    private readonly watch: (outcome: Promise<void>) => void,
  ) {}

  get(file: string, defines: Defines): Pipeline {
    const key = `${file} ${JSON.stringify(Object.entries(defines).sort())}`
    let pipeline = this.#pipelines.get(key)
    if (!pipeline) {
      pipeline = this.#compile(file, defines, this.#pipelines.size)
      this.#pipelines.set(key, pipeline)
    }
    return pipeline
  }

  bindGroup(pipeline: Pipeline, ranges: readonly BoundRange[], arena: GPUBuffer): GPUBindGroup {
    const key = `${pipeline.id}:${ranges.map(({ id, offset, size }) => `${id},${offset},${size}`).join(';')}`
    let group = this.#groups.get(key)
    if (!group) {
      if (this.#groups.size >= maxBindGroups) this.#groups.clear()
      const entries: GPUBindGroupEntry[] = ranges.map(({ index, buffer, offset, size }) => ({
        binding: index,
        resource: { buffer, offset, size },
      }))
      const { uniformBytes } = pipeline.interface
      if (uniformBytes > 0) entries.push({ binding: 0, resource: { buffer: arena, size: uniformBytes } })
      group = this.device.createBindGroup({ label: pipeline.name, layout: pipeline.layout, entries })
      this.#groups.set(key, group)
    }
    return group
  }

  /** Forgets all bind groups: some of their buffers are gone. */
  forgetGroups(): void {
    this.#groups.clear()
  }

  #compile(file: string, defines: Defines, id: number): Pipeline {
    const source = preprocess(file, this.files, defines)
    const shader = readInterface(file, source)
    const { device } = this
    device.pushErrorScope('validation')
    const entries: GPUBindGroupLayoutEntry[] = shader.buffers.map(({ index, writable }) => ({
      binding: index,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: writable ? 'storage' : 'read-only-storage' },
    }))
    if (shader.uniformBytes > 0)
      entries.push({
        binding: 0,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: shader.uniformBytes },
      })
    const layout = device.createBindGroupLayout({ label: file, entries })
    const module = device.createShaderModule({ label: file, code: source })
    const pipeline = device.createComputePipeline({
      label: file,
      layout: device.createPipelineLayout({ label: file, bindGroupLayouts: [layout] }),
      compute: { module },
    })
    this.watch(
      device.popErrorScope().then(error => {
        if (error)
          throw new KernelError({
            where: file,
            what: `shader does not compile (${JSON.stringify(defines)}): ${error.message}\n${annotate(source)}`,
          })
      }),
    )
    return { name: file, id, interface: shader, pipeline, layout }
  }
}
