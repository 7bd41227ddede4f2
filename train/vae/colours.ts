// Weights for a video autoencoder to begin with: one that keeps colours. Norms take the brightness and contrast of a
// whole picture away, and to learn a way around them takes longer than all the rest. But a network of this kind can be
// written down that shrinks a picture and enlarges it again: +x and -x side by side have the mean 0, two large constants
// beside them make the deviation nearly one number for all pictures, and silu(a) - silu(-a) = a.

import { initializeWeights, type Parameter } from '../../nn/index.js'
import type { AutoencoderKLTemporalDecoder } from '../../models/svd/vae.js'
import type { Generator } from '../../tensor/index.js'
import { keep, Tensor, UsageError, type Runtime } from '../../tensor/index.js'

const colours = 3
/** Channels that carry colours: each and its negative, and the two constants. */
const carriers = 2 * colours + 2
/** The constants: several times what colours are. */
const constant = 3
/** What smooths enlarged pictures: the share of each of the two neighbours along an axis. */
const neighbour = 0.15
/** Logarithm of the variance that the encoder begins with. */
const logVariance = -6
/** Makes up for the deviations that norms divide by. */
const gain = { latents: 1, pictures: 1.4 }

/** What an output channel takes of an input channel at a tap: only what is not 0. */
type Rule = (output: number, input: number, row: number, column: number) => number

/**
 * Fresh weights, in which the first three latents are the colours of a picture as if it were shrunk, and the decoder
 * enlarges them; all else is free to learn. Throws a UsageError for channels that have no room for colours.
 */
export async function beginWithColours(
  runtime: Runtime,
  { weights, config }: AutoencoderKLTemporalDecoder,
  random: Generator,
): Promise<void> {
  const { blockOutChannels, latentChannels } = config
  if (Math.min(...blockOutChannels) < carriers || latentChannels < colours)
    throw new UsageError({
      where: 'vae',
      what: 'too narrow to begin with colours',
      expected: `at least ${carriers} channels at each level and ${colours} of latents`,
      got: `${blockOutChannels.join(', ')} and ${latentChannels}`,
    })
  initializeWeights(runtime, weights, random)
  for (const parameter of weights.parameters.values()) {
    const { name } = parameter
    const isConv = parameter.shape.length > 1
    const change = isConv ? ruleOf(name, latentChannels) : undefined
    if (change) await rewrite(runtime, parameter, change.outputs, change.rule)
    else if (!isConv && biasOf(name)) await rewriteBias(runtime, parameter, biasOf(name)!, latentChannels)
  }
}

const same: Rule = (output, input) => Number(output === input)
const centred =
  (rule: Rule): Rule =>
  (output, input, row, column) =>
    row === 1 && column === 1 ? rule(output, input, row, column) : 0
/** Both signs of each colour. */
const signed: Rule = (output, input) =>
  output % colours === input && output < 2 * colours ? (output < colours ? 1 : -1) : 0
/** The difference of both signs. */
const unsigned =
  (scale: number): Rule =>
  (output, input) =>
    input === output ? scale : input === output + colours ? -scale : 0

const smooth: Rule = (output, input, row, column) => {
  if (output !== input) return 0
  // The constants stay what they are, up to the edge.
  if (output >= 2 * colours) return Number(row === 1 && column === 1)
  const share = (tap: number) => (tap === 1 ? 1 - 2 * neighbour : neighbour)
  return share(row) * share(column)
}

/** How the first outputs of a weight begin; all others stay as they are drawn. */
function ruleOf(name: string, latentChannels: number): { outputs: number; rule: Rule } | undefined {
  const carrier = (rule: Rule) => ({ outputs: carriers, rule })
  if (/^(en|de)coder\.conv_in\.weight$/.test(name)) return carrier(centred(signed))
  if (/conv_shortcut\.weight$/.test(name)) return carrier(same)
  if (/(conv2|to_out\.0)\.weight$/.test(name)) return carrier(() => 0)
  if (/downsamplers\.0\.conv\.weight$/.test(name))
    return carrier((output, input, row, column) => (output === input && row < 2 && column < 2 ? 0.25 : 0))
  if (/upsamplers\.0\.conv\.weight$/.test(name)) return carrier(smooth)
  if (name === 'quant_conv.weight') return { outputs: 2 * latentChannels, rule: same }
  if (name === 'encoder.conv_out.weight')
    return {
      outputs: 2 * latentChannels,
      rule: centred((output, input, ...tap) =>
        output < colours ? unsigned(gain.latents)(output, input, ...tap) : output < latentChannels ? fresh : 0,
      ),
    }
  if (name === 'decoder.conv_out.weight') return { outputs: colours, rule: centred(unsigned(gain.pictures)) }
  // Its taps lie along frames, and stand for rows.
  if (name === 'decoder.time_conv_out.weight')
    return { outputs: colours, rule: (o, i, tap) => Number(o === i && tap === 1) }
  return undefined
}

/** Stands for: as it was drawn. */
const fresh = NaN

/** `zero`: nothing is added to what carries colours; `constants`: the constants are; `variance`: of latents. */
function biasOf(name: string): 'zero' | 'constants' | 'variance' | undefined {
  if (/^(en|de)coder\.conv_in\.bias$/.test(name)) return 'constants'
  if (name === 'encoder.conv_out.bias') return 'variance'
  return /(conv2|to_out\.0|conv_shortcut|samplers\.0\.conv|conv_out|quant_conv)\.bias$/.test(name) ? 'zero' : undefined
}

/** Weights lie as [O, ...taps, I]. */
async function rewrite(runtime: Runtime, parameter: Parameter, outputs: number, rule: Rule): Promise<void> {
  const { shape } = parameter
  const [count, inputs] = [shape[0], shape[shape.length - 1]]
  const [rows, columns] = shape.length < 4 ? [1, 1] : [shape[1], shape[2]]
  const values = await parameter.value.floats()
  for (let output = 0; output < Math.min(outputs, count); output++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (let input = 0; input < inputs; input++) {
          const value = rule(output, input, row, column)
          if (!Number.isNaN(value)) values[((output * rows + row) * columns + column) * inputs + input] = value
        }
  replace(runtime, parameter, values)
}

async function rewriteBias(
  runtime: Runtime,
  parameter: Parameter,
  kind: NonNullable<ReturnType<typeof biasOf>>,
  latentChannels: number,
): Promise<void> {
  const values = await parameter.value.floats()
  if (kind === 'variance') values.fill(0, 0, latentChannels).fill(logVariance, latentChannels)
  else values.fill(0, 0, carriers)
  if (kind === 'constants') values.set([constant, -constant], 2 * colours)
  replace(runtime, parameter, values)
}

function replace(runtime: Runtime, parameter: Parameter, values: Float32Array): void {
  parameter.replace(keep(Tensor.from(runtime, values, parameter.shape, 'f32', parameter.name)))
}
