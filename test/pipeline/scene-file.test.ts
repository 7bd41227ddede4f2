// Scene files: what was written comes back; damaged and hostile ones are refused with one line.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { orbit } from '../../pipeline/render/camera.js'
import { readSceneFile, writeSceneFile } from '../../pipeline/scene/scene-file.js'
import type { Scene, SceneEntity } from '../../pipeline/scene/scene.js'
import { FileError, Generator, UsageError } from '../../tensor/index.js'

const folder = await mkdtemp(join(tmpdir(), 'revision-scene-'))
t.teardown(() => rm(folder, { recursive: true }))

const random = new Generator(3)
const frames = 3

function entity(id: string, kind: SceneEntity['kind'], width: number, shape: number, label?: number): SceneEntity {
  return {
    id,
    kind,
    name: kind === 'human' ? 'person' : 'ball',
    motion: { kind, numbers: random.randn(frames * width) },
    shape: random.randn(shape),
    confidence: random.rand(frames),
    ...(label !== undefined && { label }),
  }
}

const scene: Scene = {
  width: 6,
  height: 4,
  frames,
  fps: 7,
  camera: orbit([0, 1, 0], { yaw: 0.3, pitch: 0.2, distance: 4 }, { width: 6, height: 4, focal: 8 }),
  depth: 'ground contact',
  entities: [entity('human-1', 'human', 168, 10), entity('object-1', 'object', 63, 0, 41)],
  masks: Array.from({ length: frames }, (_, frame) => ({
    width: 6,
    height: 4,
    data: Uint8Array.from({ length: 24 }, (_, i) => (i * 7 + frame) % 64),
  })),
}

const written = async (name: string, given: Scene = scene) => {
  const path = join(folder, name)
  await writeSceneFile(path, given)
  return path
}

await t.test('a scene comes back to the bit, by its folder and by its JSON file', async t => {
  const path = await written('whole')
  t.strictSame(await readSceneFile(path), scene)
  t.strictSame(await readSceneFile(join(path, 'scene.json')), scene)
  t.notOk('masks' in (await readSceneFile(await written('bare.json', { ...scene, masks: undefined }))))
  t.strictSame(await readSceneFile(await written('empty', { ...scene, entities: [] })), { ...scene, entities: [] })
})

await t.test('a scene takes the place of another, whose numbers go', async t => {
  const path = await written('twice')
  await writeSceneFile(path, { ...scene, entities: scene.entities.slice(1) })
  t.equal((await readdir(path)).length, 2)
  t.equal((await readSceneFile(path)).entities.length, 1)
  await writeSceneFile(path, { ...scene, entities: scene.entities.slice(1), fps: 8 })
  t.equal((await readSceneFile(path)).fps, 8)
})

await t.test('a scene that cannot be read again is not written, and what was there stays', async t => {
  const path = await written('kept')
  const [person, ball] = scene.entities
  const wrong: Record<string, Partial<Scene>> = {
    'fps must be a number in 0.01..1000, not absent': { fps: NaN },
    'width must be': { width: 0 },
    'element 0 of "human-1.motion"': {
      entities: [{ ...person, motion: { kind: 'human', numbers: person.motion.numbers.map(() => NaN) } }],
    },
    'bad length of human-1.motion': {
      entities: [{ ...person, motion: { kind: 'human', numbers: new Float32Array(168) } }],
    },
    'element 1 of "human-1.confidence"': { entities: [{ ...person, confidence: Float32Array.of(0, 1.5, 0) }] },
    'entities must be of different ids': { entities: [ball, ball] },
    'entities[0].label must be an integer in 41..63, not 40': { entities: [{ ...ball, label: 40 }] },
    'entities[0].label must be absent': { entities: [{ ...person, label: 41 }] },
    'entities[0].id must be small letters': { entities: [{ ...ball, id: '../x' }] },
    'mask 0 is of another size': { masks: scene.masks!.map(mask => ({ ...mask, width: 4, height: 6 })) },
    'bad length of masks': { masks: scene.masks!.slice(1) },
    'element 0 of "masks"': { masks: scene.masks!.map(mask => ({ ...mask, data: mask.data.map(() => 64) })) },
    'camera.forward must be away from who looks': {
      camera: { ...scene.camera, axes: [scene.camera.axes[1], scene.camera.axes[0], scene.camera.axes[2]] },
    },
    'camera.right must be 1 long': {
      camera: { ...scene.camera, axes: [[1, 1, 0], scene.camera.axes[1], scene.camera.axes[2]] },
    },
  }
  for (const [message, change] of Object.entries(wrong)) {
    const error = await writeSceneFile(path, { ...scene, ...change }).catch((error: unknown) => error)
    t.ok(error instanceof UsageError, message)
    t.ok(String(error).includes(message), String(error))
  }
  t.strictSame(await readSceneFile(path), scene)
})

await t.test('hostile descriptions are refused with one line before anything is read', async t => {
  const path = await written('hostile')
  const file = join(path, 'scene.json')
  const good = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  const [person] = good.entities as object[]
  const wrong: Record<string, object> = {
    'version must be 1, not 2': { version: 2 },
    'frames must be an integer in 1..16384, not 1e+300': { frames: 1e300 },
    'width x height must be at most': { width: 65535, height: 65535 },
    'depth must be one of network, ground contact, not "guess"': { depth: 'guess' },
    'camera must be an object, not []': { camera: [] },
    'camera.position must be 3 numbers': { camera: { ...(good.camera as object), position: [0, 'x', 0] } },
    'entities must be a list of 0..64 objects': { entities: new Array(65).fill(person) },
    'entities[0] must be an object, not null': { entities: [null] },
    'entities[0].shape must be an integer in 0..512': { entities: [{ ...person, shape: 1e9 }] },
    'entities[0].kind must be one of': { entities: [{ ...person, kind: '__proto__' }] },
    '"mask" is none of version, width, height': { mask: true },
    '"camera.near" is none of right, down, forward': { camera: { ...(good.camera as object), near: 1 } },
    '"entities[0].lable" is none of id, kind': { entities: [{ ...person, lable: 41 }] },
    'numbers must be the name of': { numbers: '../other.safetensors' },
    '"human-1.motion" is not as': { frames: 2 },
    'there is no such file': { numbers: 'none.safetensors' },
  }
  for (const [message, change] of Object.entries(wrong)) {
    await writeFile(file, JSON.stringify({ ...good, ...change }))
    const error = await readSceneFile(path).catch((error: unknown) => error)
    t.ok(error instanceof FileError, message)
    t.ok(String(error).includes(message) && !String(error).includes('\n'), String(error))
  }
  for (const text of ['', '[]', '{', '\xff', '[['.repeat(1000)]) {
    await writeFile(file, text, 'latin1')
    await t.rejects(readSceneFile(path), FileError)
  }
  await t.rejects(readSceneFile(join(folder, 'nowhere')), FileError)
})

await t.test('numbers that are damaged give one line, never a scene of NaN', async t => {
  const path = await written('damaged')
  const name = (await readdir(path)).find(name => name.endsWith('.safetensors'))!
  const bytes = await readFile(join(path, name))
  const draw = (below: number) => random.randint(0, below, 1)[0]
  const wrong: string[] = []
  for (let round = 0; round < 200; round++) {
    const damaged = Buffer.from(round % 4 === 0 ? bytes.subarray(0, draw(bytes.length)) : bytes)
    for (let i = 0; i < 4 && damaged.length > 0; i++) damaged[draw(damaged.length)] = draw(2) ? 0xff : draw(256)
    await writeFile(join(path, name), damaged)
    try {
      const { entities } = await readSceneFile(path)
      if (!entities.every(({ motion }) => motion.numbers.every(Number.isFinite))) wrong.push('not finite')
    } catch (error) {
      if (!(error instanceof FileError) || error.message.includes('\n')) wrong.push(String(error))
    }
  }
  t.strictSame(wrong, [])
})
