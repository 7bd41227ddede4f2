// Every operation's WebAssembly.

import type { WasmKernel } from '../tensor/wasm/launch.js'
import { matmulWasm } from './matmul/wasm.js'

export const wasmKernels: readonly WasmKernel[] = [matmulWasm]
