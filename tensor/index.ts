// The cellar: dtypes, shapes, tensors, scopes, runtimes, random numbers and files.

export { capture, Captured, overwrite } from './capture.js'
export * from './dtype.js'
export * from './errors.js'
export * from './execute.js'
export * from './op.js'
export * from './runtime.js'
export { keep, scope } from './scope.js'
export * from './shape.js'
export { readAll, Tensor } from './tensor.js'
export * from './files/index.js'
export { Generator, type GeneratorState } from './random.js'
