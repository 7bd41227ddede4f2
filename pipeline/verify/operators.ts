// Operators under the names of the golden cases, in torch's layouts, said in the operations of this house. Tensors come
// in and go out: a gradient can be taken through each of them.

import * as k from '../../kernels/index.js'
import { timestepEmbedding } from '../../nn/index.js'
import { quoteValue } from '../../tensor/files/quote.js'
import { FileError, Tensor } from '../../tensor/index.js'
import { channelsFirst, channelsLast } from './modules.js'
import type { OperatorCall } from './operator-call.js'

/** Runs a case: gives the output `out`, or several by name. */
type Run = (call: OperatorCall) => Tensor | Record<string, Tensor>

/** An operation in the place of one of torch's. */
export interface Operator {
  readonly run: Run
  /** Moves or chooses numbers: the result is that of torch to the bit. */
  readonly exact?: true
}

const computing = (run: Run): Operator => ({ run })
const moving = (run: Run): Operator => ({ run, exact: true })

const unary = (run: (x: Tensor) => Tensor) => computing(call => run(call.tensor('x')))
const binary = (run: (a: Tensor, b: Tensor) => Tensor) => computing(call => run(call.tensor('a'), call.tensor('b')))

/** An operation on pictures or videos, which torch keeps channels second. */
const onChannelsLast = (run: (call: OperatorCall, x: Tensor) => Tensor) => (call: OperatorCall) =>
  channelsFirst(run(call, channelsLast(call.tensor('x'))))

const reduction = (run: (x: Tensor, options: k.ReduceOptions) => Tensor) => (call: OperatorCall) =>
  run(call.tensor('x'), { axes: call.integers('dims'), keepDims: call.flag('keepdim') })

const alongAxis = (run: (x: Tensor, axis: number) => Tensor) => (call: OperatorCall) =>
  run(call.tensor('x'), call.integer('dim'))

/** [B, heads, N, D] as one batch per head: [B heads, N, D]. */
const headsAsBatches = (x: Tensor) => x.reshape([x.shape[0] * x.shape[1], ...x.shape.slice(2)])

function attention(call: OperatorCall): Tensor {
  const [q, key, v] = ['q', 'k', 'v'].map(name => call.tensor(name))
  const mask = call.has('additive_mask') ? call.tensor(call.text('additive_mask').split(' ', 1)[0]) : undefined
  const operands = [q, key, v].map(headsAsBatches)
  const out = k.attention(operands[0], operands[1], operands[2], { heads: 1, causal: call.flag('causal'), mask })
  return out.reshape([...q.shape.slice(0, 3), v.shape[3]])
}

function conv2d(call: OperatorCall, x: Tensor): Tensor {
  const margin = () => {
    const [left, right, top, bottom] = call.integers('pre_pad_left_right_top_bottom', 4)
    return { left, right, top, bottom }
  }
  return k.conv2d(x, channelsLast(call.tensor('weight')), {
    bias: call.optional('bias'),
    stride: call.integer('stride', 1),
    padding: call.has('pre_pad_left_right_top_bottom') ? margin() : call.integer('padding', 0),
    groups: call.integer('groups', 1),
  })
}

function pool(run: typeof k.avgPool2d) {
  return onChannelsLast((call, x) =>
    run(x, {
      kernel: call.integer('kernel'),
      stride: call.has('stride') ? call.integer('stride') : undefined,
      padding: call.integer('padding', 0),
      countIncludePad: call.flag('count_include_pad', true),
    }),
  )
}

function interpolate(call: OperatorCall, x: Tensor): Tensor {
  const [, , height, width] = call.outShape
  return k.resize(x, {
    size: [height, width],
    mode: call.word('mode', ['nearest', 'bilinear', 'bicubic'], 'nearest'),
    alignCorners: call.flag('align_corners'),
    antialias: call.flag('antialias'),
    scaleFactor: call.has('scale_factor') ? call.pair('scale_factor') : undefined,
  })
}

function pad(call: OperatorCall): Tensor {
  const [left, right, top, bottom] = call.integers('pad_left_right_top_bottom', 4)
  const x = call.tensor('x')
  const none = x.shape.slice(2).map((): [number, number] => [0, 0])
  return k.pad(x, [...none, [top, bottom], [left, right]], {
    mode: call.word('mode', ['constant', 'reflect', 'replicate'] as const),
    value: call.has('value') ? call.number('value') : undefined,
  })
}

/** As Python writes it: `x[1:4, ::2, -3:]`. */
function slices(call: OperatorCall): Tensor {
  const python = call.text('python')
  const parts = /^x\[(.*)\]$/.exec(python)?.[1].split(',') ?? []
  return parts.reduce((x, part, axis) => {
    const [, start, end, step] = /^ *(-?\d+)?:(-?\d+)?(?::([1-9]\d*))? *$/.exec(part) ?? []
    if (!part.includes(':') || axis >= x.shape.length)
      throw new FileError({ where: call.where, what: 'not a slice', got: quoteValue(python) })
    const size = x.shape[axis]
    const place = (text: string | undefined, given: number) => {
      const at = text === undefined ? given : Number(text)
      return Math.min(Math.max(at < 0 ? at + size : at, 0), size)
    }
    return k.slice(x, axis, place(start, 0), place(end, size), Number(step ?? 1))
  }, call.tensor('x'))
}

function sinusoids(call: OperatorCall): Tensor {
  const t = [...call.numbers('t').data]
  const width = call.outShape[1]
  const values = timestepEmbedding(t, width, {
    flipSinToCos: call.flag('flip_sin_to_cos'),
    downscaleFreqShift: call.number('downscale_freq_shift', 0),
    maxPeriod: call.number('max_period', 10000),
  })
  return Tensor.from(call.runtime, values, [t.length, width])
}

function linear(call: OperatorCall, activation: 'none' | 'geglu'): Tensor {
  return k.linear(call.tensor('x'), call.tensor('weight'), { bias: call.optional('bias'), activation })
}

/** By the golden cases' `op`, or its first word. */
const operators: Readonly<Record<string, Operator>> = {
  // products
  matmul: binary(k.matmul),
  linear: computing(call => linear(call, 'none')),
  geglu: computing(call => linear(call, 'geglu')),
  scaled_dot_product_attention: computing(attention),
  conv2d: computing(onChannelsLast(conv2d)),
  conv3d: computing(
    onChannelsLast((call, x) => {
      const [depth, height, width] = call.integers('padding', 3)
      const padding: [number, number, number] = [depth, height, width]
      return k.conv3d(x, channelsLast(call.tensor('weight')), { bias: call.optional('bias'), padding })
    }),
  ),
  conv_transpose2d: computing(
    onChannelsLast((call, x) =>
      k.convTranspose2d(x, k.permute(call.tensor('weight'), [1, 2, 3, 0]), {
        bias: call.optional('bias'),
        stride: call.integer('stride', 1),
        padding: call.integer('padding', 0),
      }),
    ),
  ),

  // norms, softmax, reductions
  group_norm: computing(
    onChannelsLast((call, x) =>
      k.groupNorm(x, call.tensor('weight'), call.tensor('bias'), {
        groups: call.integer('groups'),
        eps: call.number('eps'),
      }),
    ),
  ),
  layer_norm: computing(call =>
    k.layerNorm(call.tensor('x'), call.tensor('weight'), call.tensor('bias'), { eps: call.number('eps') }),
  ),
  softmax: computing(alongAxis(k.softmax)),
  log_softmax: computing(alongAxis(k.logSoftmax)),
  sum: computing(reduction(k.sum)),
  mean: computing(reduction(k.mean)),
  'mean over H,W': computing(call => k.mean(call.tensor('x'), { axes: [2, 3], keepDims: true })),
  amax: moving(reduction(k.max)),
  amin: moving(reduction(k.min)),
  var: computing(call => k.variance(call.tensor('x'), { axes: [call.integer('dim')] })),
  cumsum: computing(alongAxis(k.cumsum)),
  argmax: moving(alongAxis(k.argmax)),
  argmin: moving(alongAxis(k.argmin)),
  sort: moving(call => {
    const { values, indices } = k.sort(call.tensor('x'), call.integer('dim'))
    return { values, indices }
  }),
  mse_loss: computing(call => k.mean(k.square(k.sub(call.tensor('x'), call.tensor('y'))))),

  // element by element
  silu: unary(k.silu),
  relu: unary(k.relu),
  gelu_erf: unary(k.gelu),
  gelu_tanh: unary(k.geluTanh),
  quick_gelu: unary(k.quickGelu),
  sigmoid: unary(k.sigmoid),
  tanh: unary(k.tanh),
  sin: unary(k.sin),
  cos: unary(k.cos),
  erf: unary(k.erf),
  neg: unary(k.neg),
  square: unary(k.square),
  softplus: unary(k.softplus),
  abs: unary(k.abs),
  exp: unary(k.exp),
  log: unary(k.log),
  sqrt: unary(k.sqrt),
  rsqrt: unary(k.rsqrt),
  reciprocal: unary(k.reciprocal),
  log2: unary(k.log2),
  floor: unary(k.floor),
  ceil: unary(k.ceil),
  round_half_even: unary(k.round),
  sign: unary(k.sign),
  clamp: computing(call => k.clamp(call.tensor('x'), call.number('min', -Infinity), call.number('max', Infinity))),
  pow: computing(call => k.pow(call.tensor('x'), call.number('exponent'))),
  add: binary(k.add),
  sub: binary(k.sub),
  mul: binary(k.mul),
  div: binary(k.div),
  maximum: binary(k.maximum),
  atan2: computing(call => k.atan2(call.tensor('y'), call.tensor('x'))),
  where: computing(call => k.where(call.tensor('cond'), call.tensor('a'), call.tensor('b'))),
  linspace: computing(call => {
    const n = call.outShape[0]
    const line = Array.from({ length: n }, (_, i) => 1 + (2 * i) / Math.max(n - 1, 1))
    return k.add(Tensor.from(call.runtime, line, [n]), call.tensor('x'))
  }),
  'diffusers get_timestep_embedding(t, dim, flip_sin_to_cos=True, downscale_freq_shift)': computing(sinusoids),

  // movement, pictures
  permute: moving(call => k.permute(call.tensor('x'), call.integers('dims'))),
  'permute(0,2,1) then reshape(2,-1)': moving(call => k.permute(call.tensor('x'), [0, 2, 1]).reshape([2, -1])),
  cat: moving(call => k.cat([call.tensor('a'), call.tensor('b')], call.integer('dim'))),
  slice: moving(slices),
  chunk: moving(call => {
    const x = call.tensor('x')
    const width = x.shape[x.shape.length - 1]
    return k.slice(x, -1, width / 2, width)
  }),
  pad: moving(pad),
  embedding: moving(call => k.embedding(call.tensor('weight'), call.tensor('ids'))),
  gather: moving(call => k.gather(call.tensor('x'), call.integer('dim'), call.tensor('index'))),
  index_select: moving(call => k.indexSelect(call.tensor('x'), call.integer('dim'), call.tensor('index'))),
  scatter_add: computing(call => {
    const axis = call.integer('dim')
    return k.scatterAdd(call.tensor('x'), axis, call.tensor('index'), call.outShape[axis])
  }),
  avg_pool2d: computing(pool(k.avgPool2d)),
  max_pool2d: moving(pool(k.maxPool2d)),
  upsample_nearest2x: moving(onChannelsLast(interpolate)),
  upsample_nearest_to_size: moving(onChannelsLast(interpolate)),
  interpolate: computing(onChannelsLast(interpolate)),
}

/** The operator of a golden case; undefined if there is none here. */
export function operatorOf(op: string): Operator | undefined {
  for (const name of [op, op.split(/[ (]/, 1)[0]]) if (Object.hasOwn(operators, name)) return operators[name]
  return undefined
}
