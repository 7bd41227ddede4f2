// Operations on tensors, the door through which a runtime is opened, and the check that it computes what it should.

export * from './operations.js'
export { readTune } from './common/tune.js'
export { dryTwin, openDry, type DryOptions, type DryRuntime } from './dry.js'
export { openCpu, openRuntime, openWebGpu, type Extension, type OpenOptions } from './open.js'
export { selfCheck, type SelfCheckResult } from './selfcheck.js'
export type { SelfCheckCase, SelfCheckOperands } from './selfcheck-cases.js'
