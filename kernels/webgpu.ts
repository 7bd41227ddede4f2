// Every operation's WGSL.

import type { WebGpuKernel } from '../tensor/webgpu/launch.js'
import { matmulWebGpu } from './matmul/webgpu.js'

export const webgpuKernels: readonly WebGpuKernel[] = [matmulWebGpu]
