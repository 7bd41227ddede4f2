// The gradients of the video UNet against torch's (test/golden/README.md: computed in float64): the length of each
// weight's, and some in full.

import t from 'tap'
import { unetKind } from '../../pipeline/verify/unet.js'
import { wasmRuntime } from '../support/kernels.js'
import { agrees } from '../support/verify.js'

const wasm = await wasmRuntime()

void t.test('the gradient of every weight', t => agrees(t, unetKind, wasm, 'svd-unet-tiny', ['grads']))
