// Runtimes on which every variant of a kernel runs on the test adapter: forced by a tune table, and where the variant
// wants matrix units, on plain loops in their place.

import tap from 'tap'
import { readTune } from '../../kernels/index.js'
import type { Variant } from '../../kernels/common/variant.js'
import { shaders } from '../../kernels/shaders.generated.js'
import { webgpuKernels } from '../../kernels/webgpu.js'
import type { Runtime } from '../../tensor/index.js'
import { openAdapter, type SubgroupMatrixConfig } from '../../tensor/webgpu/adapter.js'
import { openDevice } from '../../tensor/webgpu/device.js'
import type { Tune } from '../../tensor/webgpu/launch.js'
import { WebGpuRuntime, type WebGpuOptions } from '../../tensor/webgpu/runtime.js'

/** A table that asks for one variant wherever the adapter is able. */
export function forced(variant: Variant): Tune {
  return readTune(JSON.stringify({ adapter: '*', choices: { matmul: variant, conv: variant, attention: variant } }))
}

// The face of kernels/common/matrix.wgsl in f32, every lane with the whole of each matrix.
const plainMatrices = `
enable subgroups;
#param MATRIX_M 16
#param MATRIX_N 16
#param MATRIX_K 16
alias Half = f32;
alias Left = array<f32, MATRIX_M * MATRIX_K>;
alias Right = array<f32, MATRIX_K * MATRIX_N>;
alias Result = array<f32, MATRIX_M * MATRIX_N>;
fn load_left(at: u32) -> Left {
  var left: Left;
  for (var i = 0u; i < MATRIX_M * MATRIX_K; i++) { left[i] = left_tile[at + i / MATRIX_K * LEFT_STRIDE + i % MATRIX_K]; }
  return left;
}
fn load_right(at: u32) -> Right {
  var right: Right;
  for (var i = 0u; i < MATRIX_K * MATRIX_N; i++) { right[i] = right_tile[at + i / MATRIX_N * RIGHT_STRIDE + i % MATRIX_N]; }
  return right;
}
fn multiply_add(l: Left, r: Right, sum: Result) -> Result {
  var left = l;
  var right = r;
  var result = sum;
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) {
    for (var k = 0u; k < MATRIX_K; k++) {
      result[i] += left[i / MATRIX_N * MATRIX_K + k] * right[k * MATRIX_N + i % MATRIX_N];
    }
  }
  return result;
}
fn store_result(at: u32, r: Result) {
  var result = r;
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) { result_tile[at + i] = result[i]; }
}
`

/** Sizes of matrices that fit a workgroup's memory in f32 as well. */
export const smallMatrices: Pick<SubgroupMatrixConfig, 'M' | 'N' | 'K'>[] = [
  { M: 8, N: 8, K: 8 },
  { M: 8, N: 16, K: 16 },
]

/** The WebGPU runtime on SwiftShader, the variant `subgroup-matrix` forced, with plain loops for matrix units. */
export async function matrixRuntime(
  sizes: Pick<SubgroupMatrixConfig, 'M' | 'N' | 'K'>,
  options: WebGpuOptions = {},
): Promise<Runtime> {
  const opened = await openDevice(await openAdapter('swiftshader', { quiet: true }))
  const facts = {
    ...opened.facts,
    features: { ...opened.facts.features, f16: true, subgroupMatrix: true },
    subgroupMatrixConfigs: [{ ...sizes, componentType: 'f16', resultComponentType: 'f32' }],
  }
  const runtime = new WebGpuRuntime(
    { ...opened, facts },
    webgpuKernels,
    { ...shaders, 'common/matrix.wgsl': plainMatrices },
    { poison: true, tune: forced('subgroup-matrix'), ...options },
  )
  tap.teardown(() => runtime.close())
  return runtime
}
