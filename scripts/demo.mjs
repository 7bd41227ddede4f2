// `npm run demo`: the whole way from a picture and a sketched pose to a video, in three stages, on whatever this machine
// has, with the small weights that come along.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { prepare, root } from './prepare.mjs'

prepare()

const out = 'out/demo'
const image = 'docs/pictures/demo.png'
// Otherwise there would be nothing to see: what is there already is not made again.
rmSync(join(root, out), { recursive: true, force: true })
console.log(`Demo: the person in ${image} is to raise the other arm as well, as docs/examples/sketch.json has it.`)
console.log('The models are the small ones of this repository, 64 x 64 pixels; the command is')
run(['revise', '--image', image, '--sketch', 'docs/examples/sketch.json', '--out', out])
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
