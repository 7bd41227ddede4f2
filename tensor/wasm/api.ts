// The part of the WebAssembly JavaScript interface that we use. TypeScript knows it only together with a browser's DOM.

declare const opaque: unique symbol

/** A compiled module. */
export interface Module {
  readonly [opaque]: 'WebAssembly.Module'
}

export interface Memory {
  /** Shared memory keeps giving the same bytes after it has grown, but longer views need a new buffer. */
  readonly buffer: ArrayBufferLike
  /** By pages of 64 KiB; throws a RangeError where that cannot be. */
  grow(pages: number): number
}

export interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => Memory
  readonly Instance: new (
    module: Module,
    imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> }
  validate(binary: Uint8Array<ArrayBuffer>): boolean
  compile(binary: Uint8Array<ArrayBuffer>): Promise<Module>
}

export const { WebAssembly: webAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi }
