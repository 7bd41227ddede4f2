// Adapters of networks in ONNX files, on tiny ones that have the same inputs and outputs and always say the same.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { filled, writeModel, type Constant, type Model, type Node } from '../../bench/peers/onnx.js'
import { peersFolder } from '../../bench/peers/install.js'
import type { Detection } from '../../pipeline/extract/detection.js'
import { OnnxDepth } from '../../pipeline/extract/onnx/depth-anything.js'
import { HmrPose } from '../../pipeline/extract/onnx/hmr.js'
import { PosedDetector } from '../../pipeline/extract/onnx/posed-detector.js'
import { RtmPose } from '../../pipeline/extract/onnx/rtmpose.js'
import { openOnnx, type OnnxRuntime } from '../../pipeline/extract/onnx/session.js'
import { look, windowAround } from '../../pipeline/extract/onnx/window.js'
import { YoloSegDetector } from '../../pipeline/extract/onnx/yolo-seg.js'
import { FileError, sizeOf, type Shape } from '../../tensor/index.js'

/** What the networks made here say, for where no onnxruntime is installed. */
const known = new WeakMap<Uint8Array, { input: string; shape: Shape; outputs: Readonly<Record<string, Constant>> }>()

class StandInTensor {
  constructor(
    readonly type: 'float32',
    readonly data: Float32Array,
    readonly dims: readonly number[],
  ) {}
}

/** Runs the networks made here without looking at their bytes; refuses all others. */
const standIn: OnnxRuntime = {
  Tensor: StandInTensor,
  InferenceSession: {
    create(file) {
      const network = typeof file === 'string' ? undefined : known.get(file)
      if (!network) return Promise.reject(new Error('no such network'))
      const { input, shape, outputs } = network
      return Promise.resolve({
        inputNames: [input],
        outputNames: Object.keys(outputs),
        run(feeds) {
          const { dims } = feeds[input] as StandInTensor
          if (String(dims) !== String(shape)) return Promise.reject(new Error(`not ${String(shape)}`))
          const said = Object.entries(outputs).map(([name, { data, shape }]) => [name, { data, dims: shape }])
          return Promise.resolve(Object.fromEntries(said) as Record<string, { data: unknown; dims: Shape }>)
        },
        release: () => Promise.resolve(),
      })
    },
  },
}

/** Whichever edition is installed: beside this package, or among the benchmark's peers. */
function installed(): OnnxRuntime | undefined {
  const own = createRequire(import.meta.url)
  const peers = createRequire(join(peersFolder, 'package.json'))
  for (const [load, name] of [
    [own, 'onnxruntime-node'],
    [own, 'onnxruntime-web'],
    [peers, 'onnxruntime-web'],
  ] as const)
    try {
      return load(name) as OnnxRuntime
    } catch {
      continue
    }
  return undefined
}

const runtime = installed() ?? standIn

/** A network that looks at its input, and then says what it is told to. */
function saying(input: string, shape: Shape, outputs: Readonly<Record<string, Constant>>): Uint8Array {
  const nodes: Node[] = [
    { op: 'ReduceMean', inputs: [input], output: 'mean', attributes: { keepdims: 0 } },
    { op: 'Mul', inputs: ['mean', 'zero'], output: 'nothing' },
    ...Object.keys(outputs).map(name => ({ op: 'Add', inputs: ['nothing', `${name}_said`], output: name })),
  ]
  const constants = Object.entries(outputs).map(([name, constant]): [string, Constant] => [`${name}_said`, constant])
  const model: Model = {
    inputs: { [input]: shape },
    constants: { zero: filled([], 0), ...Object.fromEntries(constants) },
    nodes,
    output: Object.entries(outputs).map(([name, { shape }]) => ({ name, shape })),
  }
  const bytes = writeModel(model)
  known.set(bytes, { input, shape, outputs })
  return bytes
}

const said = (shape: Shape, values: (i: number) => number): Constant => ({
  shape,
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => values(i)),
})

const picture = { width: 80, height: 40, data: new Uint8Array(3 * 80 * 40).fill(200) }
const person: Detection = {
  kind: 'human',
  name: 'person',
  box: { left: 20, top: 5, right: 36, bottom: 37 },
  score: 0.9,
  keypoints: [],
}

await t.test('a window shows the picture, and what is around it, to scale', async t => {
  const data = Uint8Array.from({ length: 3 * 16 }, (_, i) => 10 * (Math.floor(i / 3) % 4))
  const box = { left: -0.5, top: -0.5, right: 3.5, bottom: 7.5 }
  const same = { mean: [0, 0, 0], deviation: [1, 1, 1], around: 7 }
  const { data: seen, shape } = look({ width: 4, height: 4, data }, { box, width: 4, height: 8 }, same)
  t.same(shape, [1, 3, 8, 4])
  t.same([...seen.subarray(0, 4)], [0, 10, 20, 30])
  t.same([...seen.subarray(28, 32)], [7, 7, 7, 7])
  const whole = { left: -0.5, top: -0.5, right: 3.5, bottom: 3.5 }
  const goesOn = { ...same, around: undefined }
  const larger = look({ width: 4, height: 4, data }, { box: whole, width: 8, height: 8 }, goesOn).data.subarray(0, 8)
  t.same([...larger], [0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30], 'at its edges, without a colour around it, it goes on')
  t.same(windowAround({ left: 0, top: 0, right: 2, bottom: 8 }, { width: 3, height: 4 }, 1).box, {
    left: -2,
    top: 0,
    right: 4,
    bottom: 8,
  })
})

await t.test('YOLOv8-seg: boxes, classes and masks in the picture’s pixels', async t => {
  // Three boxes in a window of 64: a dog, the same again less sure, a ball that is not sure enough.
  const boxes = [
    { x: 32, y: 32, w: 32, h: 16, label: 16, score: 0.9 },
    { x: 33, y: 32, w: 32, h: 16, label: 16, score: 0.6 },
    { x: 10, y: 30, w: 8, h: 8, label: 32, score: 0.1 },
  ]
  const output0 = said([1, 116, 3], n => {
    const [row, i] = [Math.floor(n / 3), n % 3]
    const { x, y, w, h, label, score } = boxes[i]
    if (row < 4) return [x, y, w, h][row]
    if (row < 84) return row - 4 === label ? score : 0.01
    return row === 84 ? 1 : 0
  })
  // The first part of masks is positive in the left half.
  const output1 = said([1, 32, 16, 16], n => (n < 256 ? (n % 16 < 8 ? 4 : -4) : 9))
  const model = saying('images', [1, 3, 64, 64], { output0, output1 })
  const detector = await YoloSegDetector.open(model, { runtime, size: 64 })
  const [dog, ...others] = await detector.detect(picture)
  t.same(others, [])
  t.match(dog, { kind: 'animal', name: 'dog', keypoints: [] })
  t.ok(Math.abs(dog.score - 0.9) < 1e-6)
  // The picture is 80 wide: a pixel of the window is 1.25 of it, and 20 rows above it are grey.
  t.same(dog.box, { left: 19.5, top: 9.5, right: 59.5, bottom: 29.5 })
  const columns = [...dog.mask!.data.keys()].filter(i => dog.mask!.data[i]).map(i => i % 80)
  t.same([Math.min(...columns), Math.max(...columns)], [20, 39])
  t.equal(columns.length, 20 * 20)
  await detector.close()
})

await t.test('Depth Anything V2: a map of the picture’s size', async t => {
  const model = saying('pixel_values', [1, 3, 28, 56], { predicted_depth: said([1, 28, 56], i => i % 56) })
  const depth = await OnnxDepth.open(model, { runtime, shortSide: 28 })
  const { width, height, data } = await depth.estimate(picture)
  t.same([width, height, data.length], [80, 40, 3200])
  // Scaled to a side of 28, this one would be 1.8 million pixels wide.
  const thread = { width: 65535, height: 1, data: new Uint8Array(3 * 65535) }
  await t.rejects(depth.estimate(thread), /too many patches; expected at most 16384/)
  t.ok(data.every((value, i) => Math.abs(value - Math.min(55, Math.max(0, ((i % 80) + 0.5) * 0.7 - 0.5))) < 1e-4))
})

await t.test('RTMPose: points out of columns and rows, in people alone', async t => {
  const [columns, rows] = [
    said([1, 17, 48], n => (n % 48 === 20 ? 0.8 : 0.1)),
    said([1, 17, 64], n => (n % 64 === 2 * Math.floor(n / 64) ? 0.7 : 0.1)),
  ]
  const model = saying('input', [1, 3, 32, 24], { simcc_x: columns, simcc_y: rows })
  const pose = await RtmPose.open(model, { runtime, width: 24, height: 32 })
  const { keypoints } = await pose.see(picture, person)
  t.equal(keypoints.length, 17)
  // The window is 30 x 40 around (28, 21): pixel 10 is at 10.5 / 24 of it.
  const [nose, eye] = keypoints
  t.match(nose, { name: 'nose' })
  t.ok(Math.abs(nose.x - (13 + 30 * (10.5 / 24))) < 1e-5 && Math.abs(nose.y - (1 + 40 * (0.5 / 32))) < 1e-5)
  t.ok(Math.abs(eye.y - nose.y - 40 / 32) < 1e-5 && Math.abs(nose.score - 0.7) < 1e-6)
  const dog: Detection = { ...person, kind: 'animal', name: 'dog' }
  t.equal(await pose.see(picture, dog), dog)
  const both = new PosedDetector({ detect: () => Promise.resolve([person, dog]) }, [pose])
  t.same(
    (await both.detect(picture)).map(({ keypoints }) => keypoints.length),
    [17, 0],
  )
})

await t.test('HMR2: a pose, and joints in space where it puts them', async t => {
  // Upright in a picture, whose y goes down: turned by half a turn about x.
  const identity = (n: number) => Number(n % 9 === 0 || n % 9 === 4 || n % 9 === 8)
  const model = saying('image', [1, 3, 32, 32], {
    global_orient: said([1, 1, 3, 3], n => (n === 0 ? 1 : -identity(n))),
    body_pose: said([1, 23, 3, 3], identity),
    betas: said([1, 10], i => i / 10),
    pred_cam: said([1, 3], i => [0.9, 0, 0.1][i]),
  })
  const hmr = await HmrPose.open(model, { runtime, size: 32 })
  const wrist = { name: 'left_wrist', x: 1, y: 2, score: 0.3 } as const
  const { pose, keypoints } = await hmr.see(picture, { ...person, keypoints: [wrist] })
  t.same(pose!.rotations.length, 72)
  t.ok(Math.abs(Math.abs(pose!.rotations[0]) - Math.PI) < 1e-5 && Math.abs(pose!.shape[9] - 0.9) < 1e-6)
  const at = (name: string) => keypoints.find(keypoint => keypoint.name === name)!
  t.match(at('left_wrist'), wrist)
  t.ok(at('left_ankle').place![1] > 0.7 && at('left_shoulder').place![1] < -0.3, 'y goes down')
  t.ok(at('left_ankle').place![0] > 0, 'who looks into the camera has the left to the right')
  // The window is 38.4 around (28, 21); SMPL's pelvis is 0.24 m above what pred_cam places.
  const hip = at('left_hip')
  t.ok(Math.abs(hip.y - (21 + 19.2 * 0.9 * (0.1 - 0.24 + hip.place![1]))) < 0.05, `${hip.y}`)
  t.ok(at('left_ankle').y > at('left_hip').y && at('left_hip').y > at('left_shoulder').y)
})

await t.test('networks that do not fit are refused with one line', async t => {
  const refuse = async (work: Promise<unknown>, message: RegExp) => {
    const error = await work.then(
      () => undefined,
      (error: unknown) => error,
    )
    t.ok(error instanceof FileError && message.test(error.message) && !error.message.includes('\n'), String(error))
  }
  const model = saying('input', [1, 3, 4, 4], { out: said([1, 2], () => NaN), even: said([1, 2], i => i) })
  await refuse(openOnnx(Uint8Array.of(1, 2, 3), 'input', { runtime }), /not a network that onnxruntime can open/)
  await refuse(openOnnx(model, 'images', { runtime }), /other inputs; expected images; got input/)
  const network = await openOnnx(model, 'input', { runtime })
  const input = { data: new Float32Array(48), shape: [1, 3, 4, 4] }
  t.same([...(await network.run(input, { even: [1, -1] })).even.data], [0, 1])
  await refuse(network.run(input, { odd: [1] }), /no output odd; got out, even/)
  await refuse(network.run(input, { even: [1, 3] }), /output even has another shape or type; expected float32 \[1, 3\]/)
  await refuse(network.run(input, { out: [1, 2] }), /output out holds no finite numbers/)
  await refuse(network.run({ data: new Float32Array(3), shape: [1, 3] }, { even: [1, 2] }), /cannot take input/)
})

await t.test('without onnxruntime it is told what to install', async t => {
  // With it, it is the file that is missing.
  await t.rejects(openOnnx('nowhere.onnx', 'input'), /npm install onnxruntime-node|nowhere\.onnx: not a network/)
})
