// Videos from pictures: the whole way from a picture file to a video file.

export { TrackFitter, type TrackFitterOptions } from './extract/fit/body-fitter.js'
export { HumanModelsDetector } from './extract/human-models/detector.js'
export { openExtractor, type OpenExtractorOptions } from './extract/open-extractor.js'
export { PartDetector, type PartView } from './extract/part-detector.js'
export { NotFiniteError } from './finite.js'
export * from './generate.js'
export { fetchDepthModel, fetchModel, type FetchOptions } from './hub/fetch-model.js'
export { hubModels, type HubModelName } from './hub/models.js'
export { writeRandomCheckpoint } from './hub/random-checkpoint.js'
export { writeApng } from './media/apng.js'
export { readLabels, readPicture } from './media/decode.js'
export { readFrames } from './media/frames.js'
export { writePng } from './media/encode.js'
export { writeGif } from './media/gif.js'
export { writeMp4 } from './media/mp4.js'
export { OutputFolder } from './media/output.js'
export { labelCount, type LabelMap, type Picture } from './media/picture.js'
export { resizeLanczos, resizeNearest } from '../models/svd/resize.js'
export { contactSheet, type SheetOptions } from './media/sheet.js'
export { motionCondition, type PartMask } from '../models/svd/motion-condition.js'
export type { InjectedNoise } from './noise.js'
export type { FallbackEvent, MemoryOptions } from './plan/memory.js'
export { planVideo, type NetworkConfigs, type PlanOptions, type StagePlan, type VideoPlan } from './plan/plan.js'
export type { MemoryPolicy } from './plan/policy.js'
export { sampleEuler, type Denoise, type SamplerStep } from './samplers/euler.js'
export * from './schedulers/euler.js'
export {
  checkSettings,
  completeSettings,
  defaultSize,
  settingBounds,
  type GenerateSettings,
  videoModelOf,
  type VideoModel,
} from './settings.js'
export { isSkip, type VerifyCase, type VerifyOutcome, type VerifySkip } from './verify/outcome.js'
export { reportOf, verify, type VerifyReport } from './verify/verify.js'
export type { Box, Detection, Detector, Keypoint, PoseGuess, Track } from './extract/detection.js'
export type { DepthEstimator, ExtractOptions, Extractor } from './extract/extractor.js'
export { SceneExtractor, type ExtractorParts } from './extract/scene-extractor.js'
export { trackDetections } from './extract/track.js'
export { orbit, project, unproject, type Camera } from './render/camera.js'
export type { DepthSource, Scene, SceneEntity } from './scene/scene.js'
export { readSceneFile, writeSceneFile } from './scene/scene-file.js'
export { OnnxDepth, type OnnxDepthOptions } from './extract/onnx/depth-anything.js'
export { HmrPose, type HmrOptions } from './extract/onnx/hmr.js'
export { PosedDetector, type PoseNetwork } from './extract/onnx/posed-detector.js'
export { RtmPose, type RtmPoseOptions } from './extract/onnx/rtmpose.js'
export type { OnnxOptions, OnnxRuntime } from './extract/onnx/session.js'
export { YoloSegDetector, type YoloOptions } from './extract/onnx/yolo-seg.js'
