// Sketches: what may be in a file, where shapes come to lie, and what they ask of a scene.

import { readFile } from 'node:fs/promises'
import t from 'tap'
import { animalLabel, humanLabel } from '../../models/body/labels.js'
import { motionCondition } from '../../models/svd/motion-condition.js'
import type { LabelMap } from '../../models/svd/picture.js'
import { readSketch, sketchLimits } from '../../pipeline/control/sketch-file.js'
import { sketchParts } from '../../pipeline/control/sketch.js'
import { targetMask, targetPoseOf } from '../../pipeline/control/target-pose.js'
import { orbit, project } from '../../pipeline/render/camera.js'
import type { Scene } from '../../pipeline/scene/scene.js'
import { personOf } from '../../train/motion/scene-file.js'
import { walk } from '../support/motion.js'
import { projectRoot } from '../support/paths.js'

const text = (shapes: unknown, head: object = { units: 'relative' }) => JSON.stringify({ version: 1, ...head, shapes })
const sketchOf = (...shapes: object[]) => readSketch('sketch.json', text(shapes))
const head = humanLabel('head')

/** The pixels of a label, and the middle of them. */
function found({ width, data }: LabelMap, label: number) {
  const pixels = [...data.keys()].filter(i => data[i] === label)
  const mean = (of: (i: number) => number) => pixels.reduce((sum, i) => sum + of(i), 0) / pixels.length
  return { count: pixels.length, x: mean(i => i % width), y: mean(i => Math.floor(i / width)) }
}

await t.test('shapes cover what they should, at any size', t => {
  for (const [width, height] of [
    [200, 100],
    [50, 40],
  ]) {
    const drawn = (shape: object) => {
      const { labels, region, confidence } = targetMask(sketchOf({ part: 'head', ...shape }), { width, height })
      t.equal(confidence, 0.5)
      t.equal(region, labels, 'nothing is said of the rest')
      const { count, x, y } = found(labels, head)
      return { area: count / height ** 2, x: (x + 0.5) / width, y: (y + 0.5) / height }
    }
    const near = (got: ReturnType<typeof drawn>, [area, x, y]: number[], about: string) => {
      const error = Math.max(Math.abs(got.area / area - 1) / 4, Math.abs(got.x - x), Math.abs(got.y - y))
      t.ok(error < 0.02, `${about} at ${width} x ${height}: ${JSON.stringify(got)}`)
    }
    near(drawn({ type: 'circle', centre: [0.4, 0.5], radius: 0.2 }), [Math.PI * 0.04, 0.4, 0.5], 'circle')
    const ellipse = { type: 'ellipse', centre: [0.5, 0.4], radii: [0.3, 0.1] }
    near(drawn(ellipse), [Math.PI * 0.03, 0.5, 0.4], 'ellipse')
    near(drawn({ ...ellipse, turn: 45 }), [Math.PI * 0.03, 0.5, 0.4], 'ellipse, turned')
    const corners = [
      [0.2, 0.2],
      [0.6, 0.2],
      [0.6, 0.8],
      [0.2, 0.8],
    ]
    near(drawn({ type: 'polygon', points: corners }), [(0.24 * width) / height, 0.4, 0.5], 'polygon')
    const across = [
      [0.3, 0.5],
      [0.7, 0.5],
    ]
    const stroke = { type: 'stroke', points: across, width: 0.2 }
    near(drawn(stroke), [(0.08 * width) / height + Math.PI * 0.01, 0.5, 0.5], 'stroke')
  }
  t.end()
})

await t.test('pixels count from the first one’s centre, and mean the same at another size', t => {
  const points = [
    [-0.5, -0.5],
    [4.5, -0.5],
    [4.5, 4.5],
    [-0.5, 4.5],
  ]
  const pixels = { units: 'pixels', size: [20, 10] }
  const sketch = readSketch('sketch.json', text([{ type: 'polygon', part: 'animal tail', points }], pixels))
  for (const scale of [1, 3]) {
    const { labels } = targetMask(sketch, { width: 20 * scale, height: 10 * scale })
    t.equal(found(labels, animalLabel('tail')).count, 25 * scale ** 2)
    t.equal(labels.data[0], animalLabel('tail'))
  }
  t.end()
})

await t.test('later shapes lie over earlier ones; objects have labels or names', t => {
  const circle = { type: 'circle', centre: [0.5, 0.5], radius: 0.3 }
  const shapes = [{ object: 41 }, { object: 'ball' }, { object: 'box' }, { object: 'ball' }, { part: 'left hand' }]
  const sketch = sketchOf(...shapes.map((what, i) => ({ ...circle, radius: 0.4 - 0.05 * i, ...what })))
  const { labels } = targetMask(sketch, { width: 40, height: 40 })
  const used = [...new Set(labels.data)].sort((a, b) => a - b)
  t.same(used, [0, humanLabel('left hand'), 41, 42, 43], 'names get labels that nothing else has')
  const objects = new Map([['ball', 50]])
  const known = sketchOf({ ...circle, object: 'ball' })
  t.ok(targetMask(known, { width: 9, height: 9 }, { objects }).labels.data.includes(50))
  t.throws(() => targetMask(sketch, { width: 9, height: 9 }, { objects }), {
    message: 'sketch.json: shapes[2].object: the scene has no such object; expected ball; got box',
  })
  t.end()
})

await t.test('the last frame alone is told, half trusted, and only inside of shapes', t => {
  const mask = targetMask(sketchOf({ type: 'circle', part: 'head', centre: [0.25, 0.5], radius: 0.25 }), {
    width: 64,
    height: 32,
  })
  const condition = motionCondition([undefined, undefined, mask], 3, 8, 4)
  t.ok(condition.subarray(0, 2 * 64).every(value => value === 0))
  const [labels, confidence] = [condition.subarray(128, 160), condition.subarray(160)]
  t.equal(labels[8 + 2], Math.fround(head / 64))
  t.same([...new Set(confidence)].sort(), [0, 0.5])
  confidence.forEach((value, i) => t.equal(value > 0, labels[i] > 0))
  t.end()
})

/** Two heads and a hand between them. */
function firstFrame(): LabelMap {
  const map = { width: 40, height: 20, data: new Uint8Array(800) }
  const square = (label: number, left: number, top: number, side: number) => {
    for (let y = top; y < top + side; y++) map.data.fill(label, y * 40 + left, y * 40 + left + side)
  }
  square(head, 2, 2, 6)
  square(head, 30, 4, 4)
  square(humanLabel('left hand'), 16, 8, 3)
  return map
}

await t.test('a drag moves the part under its beginning, and no other of that name', t => {
  const first = firstFrame()
  const drag = { type: 'drag', from: [5 / 40, 5 / 20], to: [15 / 40, 12 / 20] }
  for (const scale of [1, 2]) {
    const size = { width: 40 * scale, height: 20 * scale }
    const { labels } = targetMask(sketchOf(drag), size, { first })
    const { count, x, y } = found(labels, head)
    t.equal(count, 36 * scale ** 2)
    t.same([(x + 0.5) / scale, (y + 0.5) / scale], [15, 12])
  }
  // Grasped beside the part that it names: the nearest one.
  const beside = { type: 'drag', from: [25 / 40, 5 / 20], to: [25 / 40, 10 / 20], part: 'head' }
  const { labels } = targetMask(sketchOf(beside), first, { first })
  t.same(found(labels, head), { count: 16, x: 31.5, y: 10.5 })
  t.throws(() => targetMask(sketchOf({ ...beside, part: 'neck' }), first, { first }), {
    message: 'sketch.json: shapes[0]: the first frame does not show the part; got neck',
  })
  t.throws(() => targetMask(sketchOf({ ...drag, from: [0.99, 0.99] }), first, { first }), /there is no part where/)
  t.throws(() => targetMask(sketchOf({ ...drag, from: [-1, 2] }), first, { first }), /there is no part where/)
  t.throws(() => targetMask(sketchOf(drag), first), /shapes\[0\]: a drag needs to know/)
  t.end()
})

await t.test('targets are the middles of parts, for the nearest entity or the one that is named', t => {
  const [width, height] = [120, 80]
  const view = { yaw: 0, pitch: 0, distance: 5 }
  const camera = orbit([0, 1, 0], view, { width, height, focal: 90 })
  const confidence = new Float32Array(2).fill(1)
  const person = (id: string, x: number) => {
    const { poses, trans } = walk(2)
    const moved = trans.map((value, i) => value + (i % 3 === 0 ? x : 0))
    const motion = personOf({ frames: 2, poses, trans: moved })
    return { id, kind: 'human', name: 'person', motion, shape: new Float32Array(), confidence } as const
  }
  const ball = {
    id: 'object-1',
    kind: 'object',
    name: 'ball',
    motion: { kind: 'object', numbers: new Float32Array(126).fill(1) },
    shape: new Float32Array(),
    label: 41,
    confidence,
  } as const
  const entities = [person('human-1', -1.2), person('human-2', 1.2), ball]
  const scene: Scene = { width, height, frames: 2, fps: 7, camera, depth: 'ground contact', entities }
  const [px, py] = project(camera, [1.3, 1.4, 0])
  const at = (x: number, y: number) => [(x + 0.5) / width, (y + 0.5) / height]
  const hand = { type: 'circle', part: 'left hand', centre: at(px, py), radius: 0.05 }
  const sketch = sketchOf(
    hand,
    { ...hand, entity: 'human-1' },
    { type: 'circle', object: 'ball', centre: at(20, 20), radius: 0.05 },
    { type: 'circle', object: 'ball', centre: at(40, 20), radius: 0.05 },
    { type: 'circle', part: 'animal tail', centre: [1.5, 0.5], radius: 0.001 },
  )
  const targets = targetPoseOf(sketch, scene)
  t.same(
    targets.map(({ entity, part }) => [entity, part]),
    [
      ['human-2', 'left hand'],
      ['human-1', 'left hand'],
      ['object-1', 'object 41'],
      [undefined, 'animal tail'],
    ],
  )
  t.ok(Math.hypot(targets[0].x - px, targets[0].y - py) < 0.5)
  t.ok(Math.hypot(targets[2].x - 30, targets[2].y - 20) < 0.5, 'two shapes of one part are one target')
  t.ok(Math.abs(targets[3].x - 179.5) < 1e-9, 'what covers no pixel still has a place')
  // Objects that have no label of their own are known by the one that they are drawn with.
  const unlabelled = { ...scene, entities: [...entities, { ...ball, id: 'object-2', name: 'box', label: undefined }] }
  const box = { type: 'circle', object: 'box', centre: at(20, 20), radius: 0.05 }
  t.match(targetPoseOf(sketchOf(box), unlabelled), [{ entity: 'object-2', part: 'object 42' }])
  t.throws(() => targetPoseOf(sketchOf({ ...hand, entity: 'human-3' }), scene), {
    message: 'sketch.json: shapes[0].entity: no such human in the scene; expected human-1, human-2; got human-3',
  })
  const dragged = sketchOf({ type: 'drag', from: [5 / 40, 5 / 20], to: [15 / 40, 12 / 20] })
  const [target] = targetPoseOf(dragged, scene, firstFrame())
  t.match(target, { entity: 'human-1', part: 'head' })
  t.ok(Math.hypot(target.x - 44.5, target.y - 47.5) < 0.1, 'in pixels of the scene')
  t.end()
})

await t.test('one line says all that is wrong with a sketch', t => {
  const circle = { type: 'circle', part: 'head', centre: [0.5, 0.5], radius: 0.1 }
  const ellipse = { type: 'ellipse', part: 'head', centre: [0.5, 0.5], radii: [0.1, 0.2] }
  const pixels = { units: 'pixels', size: [100, 50] }
  const bad = 'sketch.json: bad sketch: '
  const wrong: [string, string][] = [
    ['', 'sketch.json: bad JSON'],
    ['[]', 'sketch.json: not a sketch; expected a JSON object'],
    ['{}', `${bad}version must be 1, not absent`],
    ['{"version": 2}', `${bad}version must be 1, not 2`],
    [text([circle], { units: 'inches' }), `${bad}units must be one of pixels, relative, not "inches"`],
    [text([circle], { units: 'pixels' }), `${bad}size must be 2 numbers in 1..65535, not absent`],
    [text([circle], { ...pixels, size: [100] }), `${bad}size must be 2 numbers in 1..65535, not [100]`],
    [text([circle], { ...pixels, size: [100, 1.5] }), `${bad}size must be whole numbers`],
    [text([circle], { ...pixels, size: [65535, 65535] }), `${bad}size must be whole numbers, at most 67108864 pixels`],
    [text([circle], { units: 'relative', size: [9, 9] }), `${bad}"size" is none of version, units, shapes`],
    [text([circle], { units: 'relative', ['a\nb']: 1 }), `${bad}"a\\nb" is none of`],
    [text([]), `${bad}shapes must be a list of 1..256 objects, not []`],
    [text(new Array(300).fill(circle)), `${bad}shapes must be a list of 1..256 objects`],
    [text(['head']), `${bad}shapes[0] must be an object, not "head"`],
    [text([circle, { ...circle, radius: 0 }]), `${bad}shapes[1].radius must be above 0 and at most 2 heights, not 0`],
    [text([{ ...circle, radius: 3 }]), `${bad}shapes[0].radius must be above 0 and at most 2 heights, not 3`],
    [text([{ ...circle, radius: 101 }], pixels), `${bad}shapes[0].radius must be above 0 and at most 100 pixels`],
    [text([{ ...circle, radius: '1' }]), `${bad}shapes[0].radius must be`],
    [text([{ ...circle, centre: [0.5] }]), `${bad}shapes[0].centre must be [x, y] in -1..2 and -1..2, not [0.5]`],
    [text([{ ...circle, centre: [0.5, 0.5, 0] }]), `${bad}shapes[0].centre must be [x, y]`],
    [text([{ ...circle, centre: [0.5, 9] }]), `${bad}shapes[0].centre must be [x, y]`],
    [text([{ ...circle, centre: [null, 0] }]), `${bad}shapes[0].centre must be [x, y]`],
    [
      text([{ ...circle, centre: [-101, 0] }], pixels),
      `${bad}shapes[0].centre must be [x, y] in -100..200 and -50..100`,
    ],
    [text([{ ...circle, part: 'left ear' }]), `${bad}shapes[0].part must be the name of one, such as left hand`],
    [text([{ ...circle, part: 'toString' }]), `${bad}shapes[0].part must be the name of one`],
    [text([{ ...circle, part: 'background' }]), `${bad}shapes[0].part must be the name of one`],
    [text([{ ...circle, part: null }]), `${bad}shapes[0].part must be the name of one`],
    [
      text([{ ...circle, part: undefined }]),
      `${bad}shapes[0].part must be the name of one, such as left hand, or object`,
    ],
    [text([{ ...circle, object: 'ball' }]), `${bad}shapes[0].part must be absent beside object, not "head"`],
    [text([{ ...circle, part: undefined, object: 40 }]), `${bad}shapes[0].object must be an integer in 41..63, not 40`],
    [text([{ ...circle, part: undefined, object: null }]), `${bad}shapes[0].object must be an integer in 41..63`],
    [text([{ ...circle, part: undefined, object: '' }]), `${bad}shapes[0].object must be a text of 1..64 characters`],
    [text([{ ...circle, entity: 7 }]), `${bad}shapes[0].entity must be a text of 1..64 characters`],
    [
      text([{ ...circle, colour: 'red' }]),
      `${bad}"shapes[0].colour" is none of type, entity, part, object, radius, centre`,
    ],
    [text([{ ...circle, type: 'square', side: 1 }]), `${bad}shapes[0].type must be one of circle, ellipse, polygon`],
    [text([{ type: 'polygon', part: 'head', points: [[0, 0]] }]), `${bad}shapes[0].points must be a list of 3..1024`],
    [text([{ type: 'drag', from: [0, 0] }]), `${bad}shapes[0].to must be [x, y]`],
    [text([{ ...ellipse, radii: [1, -1] }]), `${bad}shapes[0].radii[1] must be above 0`],
    [text([{ ...ellipse, radii: [1] }]), `${bad}shapes[0].radii must be a list of 2..2 numbers, not [1]`],
    [text([{ ...ellipse, turn: null }]), `${bad}shapes[0].turn must be a number in -360..360`],
    [
      text([
        { ...circle, radius: 0 },
        { ...ellipse, turn: 400 },
      ]),
      `${bad}shapes[0].radius must be above 0 and at most 2 heights, not 0, shapes[1].turn must be`,
    ],
    [`${'['.repeat(100000)}`, 'sketch.json: bad JSON'],
  ]
  for (const [given, message] of wrong) {
    const line = new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[^\n]*$`)
    t.throws(() => readSketch('sketch.json', given), { name: 'FileError', message: line }, message)
  }
  // What else a shape may have is not known before its type is.
  t.throws(() => readSketch('sketch.json', text([{ type: 'square', side: 1 }])), {
    message:
      'sketch.json: bad sketch: shapes[0].type must be one of circle, ellipse, polygon, stroke, drag, not "square"',
  })
  t.end()
})

await t.test('the schema says the same', async t => {
  const schema = JSON.parse(await readFile(`${projectRoot}/docs/sketch.schema.json`, 'utf8'))
  t.same(schema.$defs.part.enum, sketchParts)
  t.equal(schema.properties.shapes.maxItems, sketchLimits.shapes)
  t.equal(schema.$defs.polygon.properties.points.maxItems, sketchLimits.points)
  t.equal(schema.$defs.object.oneOf[0].maxLength, sketchLimits.name)
  const known: Record<string, unknown> = {
    part: 'head',
    object: 41,
    entity: 'human-1',
    centre: [0.5, 0.5],
    radius: 0.1,
    radii: [0.1, 0.2],
    turn: 30,
    points: new Array(3).fill([0.1, 0.1]),
    width: 0.1,
    from: [0, 0],
    to: [1, 1],
  }
  for (const type of ['circle', 'ellipse', 'polygon', 'stroke', 'drag']) {
    const { properties, required } = schema.$defs[type] as { properties: object; required: string[] }
    const fields = Object.keys(properties).filter(name => name !== 'type' && name !== 'object')
    const shape = { type, ...Object.fromEntries(fields.map(name => [name, known[name]])) }
    t.doesNotThrow(() => sketchOf(shape), `${type} with all fields`)
    for (const name of [...fields, 'type']) {
      const rest = Object.fromEntries(Object.entries(shape).filter(([field]) => field !== name))
      const isNeeded = required.includes(name) || (name === 'part' && type !== 'drag')
      const read = () => sketchOf(rest)
      if (isNeeded) t.throws(read, `${type} without ${name}`)
      else t.doesNotThrow(read, `${type} without ${name}`)
    }
  }
})
