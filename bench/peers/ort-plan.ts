// What onnxruntime is to run for each task: a model of a few nodes, weights as constants. Its convolutions want
// channels first.

import { channelsFirst, channelsLast, permuted } from '../../test/support/layout.js'
import { sizeOf, type Shape } from '../../tensor/index.js'
import type { HostTensors } from './driver.js'
import { filled, integers, type Constant, type Model, type Node } from './onnx.js'
import type { PeerTask } from './protocol.js'

export interface HostFloats {
  readonly data: Float32Array
  readonly shape: Shape
}

/** A model with its inputs' elements. */
export interface OrtPlan extends Omit<Model, 'inputs'> {
  activations: Readonly<Record<string, HostFloats>>
  /** The output in our layout, where the library's is another. */
  restore?: (data: Float32Array) => Float32Array
}

const nodes = (...list: [op: string, inputs: string[], output: string, attributes?: Node['attributes']][]): Node[] =>
  list.map(([op, inputs, output, attributes]) => ({ op, inputs, output, attributes }))

/** `fused`: attention as one node, where that gives the right result. */
export function planOf(task: PeerTask, operands: HostTensors, fused: boolean): OrtPlan {
  const out = (shape: Shape) => ({ name: 'out', shape })
  switch (task.op) {
    case 'matmul': {
      const { a } = operands
      const b: Constant = task.transposeB ? permuted(operands.b.data, operands.b.shape, [1, 0]) : operands.b // [K,N]
      return {
        activations: { a },
        constants: { b },
        nodes: nodes(['MatMul', ['a', 'b'], 'out']),
        output: out([a.shape[0], b.shape[1]]),
      }
    }
    case 'conv2d': {
      const x = channelsFirst(operands.x.data, operands.x.shape)
      const weight = channelsFirst(operands.weight.data, operands.weight.shape)
      const { stride, padding } = task
      const [outs, , kernel] = weight.shape
      const size = x.shape.slice(2).map(n => Math.floor((n + 2 * padding - kernel) / stride) + 1)
      const shape = [x.shape[0], outs, ...size]
      const pads = [padding, padding, padding, padding]
      return {
        activations: { x },
        constants: { weight, bias: operands.bias },
        nodes: nodes(['Conv', ['x', 'weight', 'bias'], 'out', { pads, strides: [stride, stride] }]),
        output: out(shape),
        restore: data => channelsLast(data, shape).data,
      }
    }
    case 'attention':
      return fused ? fusedAttention(task.heads, operands) : plainAttention(task.heads, operands)
    case 'softmax': {
      const { x } = operands
      return {
        activations: { x },
        constants: {},
        nodes: nodes(['Softmax', ['x'], 'out', { axis: -1 }]),
        output: out(x.shape),
      }
    }
    case 'group_norm': {
      const x = channelsFirst(operands.x.data, operands.x.shape)
      const [batch, channels] = x.shape
      const { groups, eps } = task
      const perChannel = (name: string): Constant => ({ ...operands[name], shape: [channels, 1, 1] })
      return {
        activations: { x },
        constants: {
          grouped: integers([batch, groups, sizeOf(x.shape) / batch / groups]),
          whole: integers(x.shape),
          one: filled([groups], 1),
          zero: filled([groups], 0),
          weight: perChannel('weight'),
          bias: perChannel('bias'),
        },
        nodes: nodes(
          ['Reshape', ['x', 'grouped'], 'split'],
          ['InstanceNormalization', ['split', 'one', 'zero'], 'normal', { epsilon: { float: eps } }],
          ['Reshape', ['normal', 'whole'], 'joined'],
          ['Mul', ['joined', 'weight'], 'scaled'],
          ['Add', ['scaled', 'bias'], 'out'],
        ),
        output: out(x.shape),
        restore: data => channelsLast(data, x.shape).data,
      }
    }
    case 'layer_norm': {
      const { x, weight, bias } = operands
      const attributes = { axis: -1, epsilon: { float: task.eps } }
      return {
        activations: { x },
        constants: { weight, bias },
        nodes: nodes(['LayerNormalization', ['x', 'weight', 'bias'], 'out', attributes]),
        output: out(x.shape),
      }
    }
    case 'silu_add': {
      const { x, y } = operands
      return {
        activations: { x, y },
        constants: {},
        nodes: nodes(['Sigmoid', ['x'], 's'], ['Mul', ['x', 's'], 'm'], ['Add', ['m', 'y'], 'out']),
        output: out(x.shape),
      }
    }
    case 'permute': {
      const { x } = operands
      return {
        activations: { x },
        constants: {},
        nodes: nodes(['Transpose', ['x'], 'out', { perm: task.axes }]),
        output: out(task.axes.map(axis => x.shape[axis])),
      }
    }
    case 'upsample': {
      const x = channelsFirst(operands.x.data, operands.x.shape)
      const [batch, channels, height, width] = x.shape
      const shape = [batch, channels, 2 * height, 2 * width]
      const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
      return {
        activations: { x },
        constants: { scales: { shape: [4], data: Float32Array.of(1, 1, 2, 2) } },
        nodes: nodes(['Resize', ['x', '', 'scales'], 'out', attributes]),
        output: out(shape),
        restore: data => channelsLast(data, shape).data,
      }
    }
  }
}

function fusedAttention(heads: number, { q, k, v }: HostTensors): OrtPlan {
  const node: Node = {
    op: 'MultiHeadAttention',
    inputs: ['q', 'k', 'v'],
    output: 'out',
    attributes: { num_heads: heads },
    domain: 'com.microsoft',
  }
  return { activations: { q, k, v }, constants: {}, nodes: [node], output: { name: 'out', shape: q.shape } }
}

function plainAttention(heads: number, operands: HostTensors): OrtPlan {
  const [batch, tokens, channels] = operands.q.shape
  const width = channels / heads
  const apart = (name: string, axes: readonly number[]) =>
    permuted(operands[name].data, [batch, tokens, heads, width], axes)
  const [q, k, v] = [apart('q', [0, 2, 1, 3]), apart('k', [0, 2, 3, 1]), apart('v', [0, 2, 1, 3])] // [B,heads,...]
  return {
    activations: { q, k, v },
    constants: { scale: filled([], width ** -0.5) },
    nodes: nodes(
      ['MatMul', ['q', 'k'], 'products'],
      ['Mul', ['products', 'scale'], 'scores'],
      ['Softmax', ['scores'], 'shares', { axis: -1 }],
      ['MatMul', ['shares', 'v'], 'out'],
    ),
    output: { name: 'out', shape: q.shape },
    restore: data => permuted(data, q.shape, [0, 2, 1, 3]).data,
  }
}
