// SMPL-X, SMPL and rotations against the reference's numbers, forward and gradients.

import t from 'tap'
import { bodiesKind } from '../../pipeline/verify/bodies.js'
import { rotationsKind } from '../../pipeline/verify/rotations.js'
import { onRuntimes, referenceRuntime, wasmRuntime, webgpuRuntime } from '../support/kernels.js'
import { agrees } from '../support/verify.js'

const runtimes = [await referenceRuntime(), await wasmRuntime(), await webgpuRuntime()]

await t.test('rotations', t =>
  onRuntimes(t, runtimes, (t, runtime) => agrees(t, rotationsKind, runtime, 'smplx-tiny', ['rotations'])),
)

await t.test('SMPL-X and SMPL', t =>
  onRuntimes(t, runtimes, (t, runtime) =>
    agrees(t, bodiesKind, runtime, 'smplx-tiny', ['SMPLX_TINY', 'smplx_io', 'SMPL_TINY', 'smpl_io']),
  ),
)
