// Every operation's plain loops.

import type { ReferenceKernel } from '../tensor/reference/runtime.js'
import { matmulReference } from './matmul/reference.js'

export const referenceKernels: readonly ReferenceKernel[] = [matmulReference]
