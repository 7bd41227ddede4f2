// Pipelines, compiled once per shader file and set of defines, and their bind groups, made once per set of buffers.

import { KernelError } from '../errors.js'
import { readInterface, type ShaderInterface } from './interface.js'
import type { GpuBlock } from './pool.js'
import { annotate, preprocess, type Defines } from './preprocess.js'

/** A compiled shader with what it wants from the host. */
export interface Pipeline {
  readonly name: string
  readonly id: number
  readonly interface: ShaderInterface
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

/** What a pipeline is made of. */
export interface PipelineSource {
  /** File under kernels/. */
  readonly file: string
  readonly defines: Defines
}

/** One buffer range of a bind group. */
export interface BoundRange {
  readonly index: number
  readonly block: GpuBlock
  readonly offset: number
  readonly size: number
}

// A steady loop needs a few hundred; far more means that sizes keep changing and old groups will not come again.
const maxBindGroups = 4096

export class Pipelines {
  readonly #pipelines = new Map<string, Pipeline>()
  readonly #sources: PipelineSource[] = []
  readonly #groups = new Map<string, GPUBindGroup>()

  constructor(
    private readonly device: GPUDevice,
    private readonly files: Readonly<Record<string, string>>,
    /** Takes the promise of a compile's outcome; a rejection is thrown at the next wait. */
    private readonly watch: (outcome: Promise<void>) => void,
  ) {}

  /** What all pipelines so far are made of. */
  get sources(): readonly PipelineSource[] {
    return this.#sources
  }

  /** The pipeline, compiled on the spot if it is not there yet. */
  get(file: string, defines: Defines): Pipeline {
    const key = keyOf({ file, defines })
    const known = this.#pipelines.get(key)
    if (known) return known
    const source = { file, defines }
    const { device } = this
    device.pushErrorScope('validation')
    const described = this.#describe(source)
    const pipeline = device.createComputePipeline(described.descriptor)
    this.watch(
      device.popErrorScope().then(error => {
        if (error) throw failure(source, described.text, error.message)
      }),
    )
    return this.#add(key, source, described, pipeline)
  }

  /** Compiles in the background, all at once, what is not there yet. Throws a KernelError for a shader that does not compile. */
  async prepare(sources: readonly PipelineSource[]): Promise<void> {
    const missing = sources.filter(source => !this.#pipelines.has(keyOf(source)))
    await Promise.all(
      missing.map(async source => {
        const { device } = this
        device.pushErrorScope('validation')
        const described = this.#describe(source)
        const scoped = device.popErrorScope()
        const [compiled] = await Promise.allSettled([device.createComputePipelineAsync(described.descriptor)])
        const error = await scoped
        if (error) throw failure(source, described.text, error.message)
        if (compiled.status === 'rejected') throw failure(source, described.text, String(compiled.reason))
        const key = keyOf(source)
        // Somebody may have needed it earlier.
        if (!this.#pipelines.has(key)) this.#add(key, source, described, compiled.value)
      }),
    )
  }

  /** A bind group for these buffers, made once, whose uniforms are in the arena. */
  bindGroup(pipeline: Pipeline, ranges: readonly BoundRange[], arena: GPUBuffer): GPUBindGroup {
    const key = `${pipeline.id}:${ranges.map(({ block, offset, size }) => `${block.id},${offset},${size}`).join(';')}`
    let group = this.#groups.get(key)
    if (!group) {
      if (this.#groups.size >= maxBindGroups) this.#groups.clear()
      group = this.createGroup(pipeline, ranges, arena)
      this.#groups.set(key, group)
    }
    return group
  }

  /** A bind group of the caller's own. */
  createGroup(pipeline: Pipeline, ranges: readonly BoundRange[], uniforms: GPUBuffer): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = ranges.map(({ index, block, offset, size }) => ({
      binding: index,
      resource: { buffer: block.buffer, offset, size },
    }))
    const { uniformBytes } = pipeline.interface
    if (uniformBytes > 0) entries.push({ binding: 0, resource: { buffer: uniforms, size: uniformBytes } })
    return this.device.createBindGroup({ label: pipeline.name, layout: pipeline.layout, entries })
  }

  /** Forgets all bind groups: some of their buffers are gone. */
  forgetGroups(): void {
    this.#groups.clear()
  }

  #add(key: string, source: PipelineSource, described: Described, pipeline: GPUComputePipeline): Pipeline {
    const { shader, layout } = described
    const added = { name: source.file, id: this.#pipelines.size, interface: shader, pipeline, layout }
    this.#pipelines.set(key, added)
    this.#sources.push(source)
    return added
  }

  #describe({ file, defines }: PipelineSource): Described {
    const text = preprocess(file, this.files, defines)
    const shader = readInterface(file, text)
    const { device } = this
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
    const descriptor = {
      label: file,
      layout: device.createPipelineLayout({ label: file, bindGroupLayouts: [layout] }),
      compute: { module: device.createShaderModule({ label: file, code: text }) },
    }
    return { text, shader, layout, descriptor }
  }
}

/** All of a pipeline but its compiled code. */
interface Described {
  readonly text: string
  readonly shader: ShaderInterface
  readonly layout: GPUBindGroupLayout
  readonly descriptor: GPUComputePipelineDescriptor
}

function keyOf({ file, defines }: PipelineSource): string {
  return `${file} ${JSON.stringify(Object.entries(defines).sort())}`
}

function failure({ file, defines }: PipelineSource, text: string, message: string): KernelError {
  return new KernelError({
    where: file,
    what: `shader does not compile (${JSON.stringify(defines)}): ${message}\n${annotate(text)}`,
  })
}
