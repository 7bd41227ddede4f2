// The options that say what a video is to be, for all commands that make one.

import { settingBounds, type GenerateSettings } from '../settings.js'

// Without a type: as numbers, words would become NaN and nothing 0 before anybody could tell of them.
const setting = (name: keyof GenerateSettings, describe: string) =>
  ({ requiresArg: true, group: 'Video:', describe: `${describe}, ${rangeOf(name)}` }) as const

/** An option that is a text. */
export const text = (group: string, describe: string) =>
  ({ type: 'string', requiresArg: true, group, describe }) as const

function rangeOf(name: keyof GenerateSettings): string {
  const { min, max } = settingBounds[name]
  return max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${min} to ${max}`
}

/** One for each setting. */
export const settingOptions = {
  frames: setting('frames', "Frames of the video; default: the model's"),
  steps: setting('steps', 'Denoising steps; default 25'),
  width: setting('width', "Pixels, a multiple of 8, or what the model's VAE asks for; default: the model's"),
  height: setting('height', "Pixels, a multiple of 8, or what the model's VAE asks for; default: the model's"),
  fps: setting('fps', 'Frames a second; default 7'),
  'motion-bucket': setting('motionBucket', 'How much is to move; default 127'),
  'noise-aug': setting('noiseAug', 'Noise on the picture, for more freedom; default 0.02'),
  'min-guidance': setting('minGuidance', 'How strictly the first frame follows the picture; default 1'),
  'max-guidance': setting('maxGuidance', "How strictly the last frame follows it; default: the model's, or 3"),
  'decode-chunk': setting('decodeChunk', 'Frames decoded together; default 4'),
  seed: setting('seed', 'The same seed gives the same video; default 0'),
} as const

/** Options under a heading. */
export function grouped<T extends object>(group: string, options: T): T {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, { ...option, group }])) as T
}
