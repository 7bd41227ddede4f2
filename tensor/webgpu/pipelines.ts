// Pipelines, compiled once per shader file and set of defines, and their bind groups, made once per set of buffers.

import { KernelError } from '../errors.js'
import { readInterface, type ShaderInterface } from './interface.js'
import type { GpuBlock } from './pool.js'
import { annotate, preprocess, type Defines } from './preprocess.js'

/** A compiled shader with what it wants from the host. */
export interface Pipeline {
  readonly name: string
  readonly source: PipelineSource
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

/** The compiled shaders of one device, and their bind groups. */
export class Pipelines {
  readonly #pipelines = new Map<string, Pipeline>()
  readonly #groups = new Map<string, GPUBindGroup>()
  #lastId = 0

  constructor(
    private readonly device: GPUDevice,
    private readonly files: Readonly<Record<string, string>>,
    /** Takes the promise of a compile's outcome; a rejection is thrown at the next wait. */
    private readonly watch: (outcome: Promise<void>) => void,
  ) {}

  /** What all pipelines so far are made of. */
  get sources(): readonly PipelineSource[] {
    return [...this.#pipelines.values()].map(({ source }) => source)
  }

  get count(): number {
    return this.#pipelines.size
  }

  /**
   * The pipeline, compiled on the spot if it is not there yet. One that turns out not to compile is forgotten, so that
   * whoever asks for it again is told again.
   */
  get(file: string, defines: Defines): Pipeline {
    const key = keyOf({ file, defines })
    const known = this.#pipelines.get(key)
    if (known) return known
    const source = { file, defines }
    const parsed = this.#parse(source)
    const { device } = this
    device.pushErrorScope('validation')
    const { layout, descriptor } = this.#describe(source, parsed)
    const pipeline = device.createComputePipeline(descriptor)
    this.watch(
      device.popErrorScope().then(error => {
        if (!error) return
        this.#pipelines.delete(key)
        throw failure(source, parsed, error.message)
      }),
    )
    return this.#add(key, source, parsed, layout, pipeline)
  }

  /** Compiles in the background, all at once, what is not there yet. Throws a KernelError for what does not compile. */
  async prepare(sources: readonly PipelineSource[]): Promise<void> {
    const missing = sources.filter(source => !this.#pipelines.has(keyOf(source)))
    await Promise.all(
      missing.map(async source => {
        const parsed = this.#parse(source)
        const { device } = this
        device.pushErrorScope('validation')
        const { layout, descriptor } = this.#describe(source, parsed)
        const scoped = device.popErrorScope()
        const [compiled] = await Promise.allSettled([device.createComputePipelineAsync(descriptor)])
        const error = await scoped
        if (error) throw failure(source, parsed, error.message)
        if (compiled.status === 'rejected') throw failure(source, parsed, String(compiled.reason))
        const key = keyOf(source)
        // Somebody may have needed it earlier.
        if (!this.#pipelines.has(key)) this.#add(key, source, parsed, layout, compiled.value)
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

  #add(
    key: string,
    source: PipelineSource,
    { shader }: Parsed,
    layout: GPUBindGroupLayout,
    pipeline: GPUComputePipeline,
  ): Pipeline {
    const added = { name: source.file, source, id: ++this.#lastId, interface: shader, pipeline, layout }
    this.#pipelines.set(key, added)
    return added
  }

  /** All that may throw; what the device makes of it is told to its error scope. */
  #parse({ file, defines }: PipelineSource): Parsed {
    const text = preprocess(file, this.files, defines)
    return { text, shader: readInterface(file, text) }
  }

  #describe({ file }: PipelineSource, { text, shader }: Parsed): Described {
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
    return { layout, descriptor }
  }
}

/** A shader's expanded text, and what the text wants from the host. */
interface Parsed {
  readonly text: string
  readonly shader: ShaderInterface
}

/** All of a pipeline but its compiled code. */
interface Described {
  readonly layout: GPUBindGroupLayout
  readonly descriptor: GPUComputePipelineDescriptor
}

function keyOf({ file, defines }: PipelineSource): string {
  return `${file} ${JSON.stringify(Object.entries(defines).sort())}`
}

function failure({ file, defines }: PipelineSource, { text }: Parsed, message: string): KernelError {
  return new KernelError({
    where: file,
    what: `shader does not compile (${JSON.stringify(defines)}): ${message}\n${annotate(text)}`,
  })
}
