// The video UNet against diffusers (test/golden/README.md: commit 58eb52c, torch 2.6 on the CPU in f32, tiny random
// weights rounded to f16): every golden case, modules inside compared as well.

import t from 'tap'
import type { VerifyCase } from '../../pipeline/verify/outcome.js'
import { unetKind } from '../../pipeline/verify/unet.js'
import { onRuntimes, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { strict } from '../support/unet.js'
import { agrees } from '../support/verify.js'

const folder = 'svd-unet-tiny'
const wasm = await wasmRuntime()
const runtimes = [await referenceRuntime(), await webgpuRuntime(), wasm]

const toleranceOf = ({ tensor, tolerance }: VerifyCase) => (tensor === 'output' ? strict : tolerance)

for (const name of ['io', 'io_f1', 'io_odd', 'io_ctx3', 'io_in10'])
  void t.test(`${name}: the output of the reference`, t =>
    // One case shows that all runtimes give the same numbers; the fastest takes the others.
    onRuntimes(t, name === 'io' ? runtimes : [wasm], (t, runtime) =>
      agrees(t, unetKind, runtime, folder, [name], toleranceOf),
    ),
  )

void t.test('a device with small bindings and grids gives the same video', async t => {
  const runtime = await webgpuRuntime({
    limits: { maxStorageBufferBindingSize: 65536, maxComputeWorkgroupsPerDimension: 7 },
  })
  await agrees(t, unetKind, runtime, folder, ['io_f1'], toleranceOf)
})
