// What tests of CLIP's two towers share: golden folders, and what both do alike.

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { WeightsError } from '../../nn/index.js'
import { openSafetensors, type TensorFile } from '../../tensor/files/index.js'
import type { Runtime, Tensor } from '../../tensor/index.js'
import { golden } from './paths.js'

/** The rounding of f32, and a few times that: a tanh gelu would be off by 1e-4. */
export const towerTolerance = 5e-6

/** config.json of a golden folder. */
export function configText(folder: string): string {
  return readFileSync(golden(folder, 'config.json'), 'utf8')
}

/** A safetensors file of a golden folder, open to the end of the tests. */
export async function openGolden(folder: string, name: string): Promise<TensorFile> {
  const file = await openSafetensors(golden(folder, `${name}.safetensors`))
  t.teardown(() => file.close())
  return file
}

/** Asserts that a forward pass leaves nothing in memory but its outputs. */
export function leavesOutputsOnly(t: Test, runtime: Runtime, forward: () => object): void {
  const before = runtime.statistics().live
  const outputs = Object.values(forward()) as Tensor[]
  t.equal(
    runtime.statistics().live - before,
    outputs.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  for (const tensor of outputs) tensor.dispose()
}

/** Asserts that a tower ignores the numbers of positions that old checkpoints hold, and no other stranger. */
export async function ignoresPositions(
  t: Test,
  checkpoint: TensorFile,
  load: (file: TensorFile) => Promise<Disposable>,
  [own, other]: readonly [string, string],
): Promise<void> {
  const info = { dtype: 'i32', stored: 'I64', shape: [1, 20], byteSize: 160 } as const
  const withTensor = (tower: string): TensorFile => ({
    name: checkpoint.name,
    metadata: checkpoint.metadata,
    tensors: new Map([...checkpoint.tensors, [`${tower}.embeddings.position_ids`, info]]),
    read: key => checkpoint.read(key),
    chunks: key => checkpoint.chunks(key),
    close: () => Promise.resolve(),
  })
  const loaded = await load(withTensor(own))
  loaded[Symbol.dispose]()
  await t.rejects(load(withTensor(other)), WeightsError)
}
