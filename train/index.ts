// Motions, training and what is trained: `revision/train`.

export { generatedKinds, generateMotion, type GeneratedKind } from './motion/generate.js'
export { holdOut, readLibrary, type Library, type Take } from './motion/library.js'
export { bodyPositions, motionFps, poseNumbers, type Motion } from './motion/motion.js'
export { motionExtensions, readMotion, type ReadMotionOptions } from './motion/read.js'
export { personOf, readScene, sceneFrames, writeMotion, writeScene } from './motion/scene-file.js'
export { parsePPPMTrainConfig, type PPPMTrainConfig } from './pppm/config.js'
export { evaluatePPPM, type EvaluateOptions, type EvaluationRow } from './pppm/evaluate.js'
export { compareMotions, type MotionMetrics } from './pppm/metrics.js'
export { clipSource } from './pppm/sources.js'
export { trainPPPM, type TrainPPPMOptions } from './pppm/train.js'
export { runTraining, type RunEvent, type RunOptions } from './run.js'
export { Trainer, type Task, type TrainSettings, type TrainStep } from './trainer.js'
