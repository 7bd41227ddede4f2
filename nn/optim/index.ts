// Optimisers and what goes with them.

export * from './adamw.js'
export * from './clip.js'
export * from './ema.js'
export * from './gradient-sum.js'
export * from './schedule.js'
