// Operations on tensors, and the door through which a runtime is opened.

export * from './common/activations.js'
export * from './matmul/matmul.js'
export * from './open.js'
