// Writes ONNX models of a few nodes: the protocol buffers of onnx.proto3 (repository onnx/onnx), only what is needed.

import { sizeOf, type Shape } from '../../tensor/index.js'

type Bytes = Uint8Array

function varint(value: number): number[] {
  const out: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  return [...out, Number(rest)]
}

const joined = (parts: readonly Bytes[]): Bytes => Buffer.concat(parts)
const integer = (field: number, value: number): Bytes => Uint8Array.from([...varint(field * 8), ...varint(value)])
const block = (field: number, bytes: Bytes): Bytes =>
  joined([Uint8Array.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes])
const text = (field: number, value: string): Bytes => block(field, new TextEncoder().encode(value))
const float = (field: number, value: number): Bytes =>
  joined([Uint8Array.from(varint(field * 8 + 5)), new Uint8Array(Float32Array.of(value).buffer)])

/** TensorProto.DataType */
const types = { f32: 1, i64: 7 }

/** Attribute values: text, lists of integers; numbers are integers unless wrapped as { float }. */
type Attribute = string | number | { readonly float: number } | readonly number[]

function attribute(name: string, value: Attribute): Bytes {
  const named = text(1, name)
  // The last field of each is AttributeProto.AttributeType.
  if (typeof value === 'string') return joined([named, text(4, value), integer(20, 3)])
  if (typeof value === 'number') return joined([named, integer(3, value), integer(20, 2)])
  if ('float' in value) return joined([named, float(2, value.float), integer(20, 1)])
  return joined([named, ...value.map(item => integer(8, item)), integer(20, 7)])
}

/** A node; an empty input is an absent one. */
export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Default: ONNX's own. */
  readonly domain?: string
}

function node({ op, inputs, output, attributes = {}, domain }: Node): Bytes {
  return joined([
    ...inputs.map(name => text(1, name)),
    text(2, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => block(5, attribute(name, value))),
    ...(domain === undefined ? [] : [text(7, domain)]),
  ])
}

/** A constant: floats, or integers (as shapes are given). */
export interface Constant {
  readonly shape: Shape
  readonly data: Float32Array | BigInt64Array
}

function tensor(name: string, { shape, data }: Constant): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const type = data instanceof Float32Array ? types.f32 : types.i64
  return joined([...shape.map(n => integer(1, n)), integer(2, type), text(8, name), block(9, raw)])
}

function value(name: string, shape: Shape): Bytes {
  const dims = shape.map(n => block(1, integer(1, n)))
  const type = joined([integer(1, types.f32), block(2, joined(dims))])
  return joined([text(1, name), block(2, block(1, type))])
}

export interface Model {
  readonly inputs: Readonly<Record<string, Shape>>
  readonly constants: Readonly<Record<string, Constant>>
  readonly nodes: readonly Node[]
  readonly output: Output | readonly Output[]
}

/** A result of a model. */
export interface Output {
  readonly name: string
  readonly shape: Shape
}

/** The bytes of an ONNX file (opset 17, and the contributed operators of onnxruntime). */
export function writeModel({ inputs, constants, nodes, output }: Model): Bytes {
  const graph = joined([
    ...nodes.map(item => block(1, node(item))),
    text(2, 'bench'),
    ...Object.entries(constants).map(([name, constant]) => block(5, tensor(name, constant))),
    ...Object.entries(inputs).map(([name, shape]) => block(11, value(name, shape))),
    ...[output].flat().map(({ name, shape }) => block(12, value(name, shape))),
  ])
  const opset = (domain: string, version: number) => block(8, joined([text(1, domain), integer(2, version)]))
  return joined([integer(1, 8), opset('', 17), opset('com.microsoft', 1), block(7, graph)])
}

/** A list of integers as a constant. */
export const integers = (values: readonly number[]): Constant => ({
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
})

/** One value everywhere. */
export const filled = (shape: Shape, value: number): Constant => ({
  shape,
  data: new Float32Array(sizeOf(shape)).fill(value),
})
