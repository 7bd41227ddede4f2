// `npm run demo`: the whole way from a picture and a sketched pose to a video, in three stages, on whatever this machine
// has, with the small weights that come along. Where those are not there, a tiny model of random weights makes a video.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, root } from './prepare.mjs'

prepare()

const out = 'out/demo'
const image = 'docs/pictures/demo.png'
const { shipped } = await import('../dist/pipeline/shipped.js')
const unet = join(shipped.pocket, 'unet/diffusion_pytorch_model.safetensors')
// Otherwise there would be nothing to see: what is there already is not made again.
rmSync(join(root, out), { recursive: true, force: true })
if (existsSync(unet)) threeStages()
else await randomVideo()

function threeStages() {
  console.log(`Demo: the person in ${image} is to raise the other arm as well, as docs/examples/sketch.json has it.`)
  console.log('The models are the small ones of this repository, 64 x 64 pixels; the command is')
  const prior = existsSync(shipped.pppm) ? [] : ['--pppm', 'none']
  run(['revise', '--image', image, '--sketch', 'docs/examples/sketch.json', ...prior, '--out', out])
  console.log(`
What it made:
  ${out}/s1/sheet.png      the coarse video, made from the picture
  ${out}/s2/overlays.png   the parts of the body that was found in it, on its way to the sketched pose
  ${out}/s3/sheet.png      the video along that motion
  ${out}/s3/video.mp4      the same, moving

What to try next:
  npx revision revise --image ${image} --motion MOTION.bvh --out out/dance   a motion of your own
  npx revision setup extract                                       to see people in photographs
  npx revision fetch svd-xt --variant fp16 --to svd-xt             Stable Video Diffusion itself
docs/revise.md tells more.`)
}

async function randomVideo() {
  const model = '.cache/demo-model'
  const { makeTinyModel } = await import('../dist/test/support/model.js')
  rmSync(join(root, model), { recursive: true, force: true })
  await makeTinyModel(join(root, model))
  console.log('Demo: a tiny model with RANDOM weights. It has learnt nothing, so its video is coloured noise;')
  console.log('a real model (stable-video-diffusion-img2vid-xt) takes the same way and the same command:')
  const settings = { frames: 4, steps: 4, width: 128, height: 128, seed: 1 }
  const options = Object.entries({ model, image, out, ...settings })
  run(['generate', ...options.flatMap(([name, value]) => [`--${name}`, String(value)])])
  console.log(`\nThe video: ${out}/video.mp4\nAll frames on one sheet: ${out}/sheet.png`)
}

function run(command) {
  console.log(`  revision ${command.join(' ')}\n`)
  const { status, error } = spawnSync(process.execPath, ['dist/pipeline/cli/main.js', ...command], {
    cwd: root,
    stdio: ['inherit', 'ignore', 'inherit'],
  })
  if (!error && status === 0) return
  console.error(`the demo did not run: ${error?.message ?? `exit code ${status}`}`)
  process.exit(status || 1)
}
