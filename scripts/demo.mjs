// `npm run demo`: the whole way from a picture to a video, on whatever this machine has. It takes the real architecture
// with the tiny random weights of the tests, so it needs no download and shows that everything works, not what it can
// do.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, root } from './prepare.mjs'

prepare()

const model = join(root, '.cache/demo-model')
const out = join(root, 'out/demo')
const { makeTinyModel } = await import('../dist/test/support/model.js')
rmSync(model, { recursive: true, force: true })
await makeTinyModel(model)

console.log('Demo: a tiny model with RANDOM weights. It has learnt nothing, so its video is coloured noise;')
console.log('a real model (stable-video-diffusion-img2vid-xt) takes the same way and the same command:')
const settings = { frames: 4, steps: 4, width: 128, height: 128, seed: 1 }
const paths = { model, image: join(root, 'docs/pictures/demo.png'), out }
const options = Object.entries({ ...paths, ...settings }).flatMap(([name, value]) => [`--${name}`, String(value)])
console.log(`revision generate ${options.join(' ')}\n`)

const { status, error } = spawnSync(
  process.execPath,
  [join(root, 'dist/pipeline/cli/main.js'), 'generate', ...options],
  {
    stdio: ['inherit', 'ignore', 'inherit'],
  },
)
if (error || status !== 0) {
  console.error(`the demo did not run: ${error?.message ?? `exit code ${status}`}`)
  process.exit(status || 1)
}
console.log(`\nThe video: ${join(out, 'video.mp4')}`)
console.log(`All frames on one sheet: ${join(out, 'sheet.png')}`)
