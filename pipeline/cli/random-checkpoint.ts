// `revision random-checkpoint`: a model of the real size without a download, to measure with.

import { readdir } from 'node:fs/promises'
import type { CommandModule } from 'yargs'
import { UsageError } from '../../tensor/index.js'
import { type ArchitectureName, architectureNames } from '../hub/architectures.js'
import { checkpointDTypes, writeRandomCheckpoint } from '../hub/random-checkpoint.js'
import { OutputFolder } from '../media/output.js'
import { StopSignals } from './stop.js'
import { Transfer } from './transfer.js'

interface RandomCheckpointArguments {
  like: ArchitectureName
  out: string
  dtype: (typeof checkpointDTypes)[number]
  seed: number
}

export const randomCheckpointCommand: CommandModule<object, RandomCheckpointArguments> = {
  command: 'random-checkpoint',
  describe: 'Write a model with random weights, to measure with',
  builder: program =>
    program.options({
      like: { choices: architectureNames, demandOption: true, requiresArg: true, describe: 'The architecture' },
      out: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder for the model; new or empty' },
      dtype: { choices: checkpointDTypes, default: 'f16', requiresArg: true, describe: 'How weights are stored' },
      seed: { type: 'number', default: 0, requiresArg: true, describe: 'The same seed gives the same weights' },
    }) as never,
  handler: run,
}

async function run({ like, out, dtype, seed }: RandomCheckpointArguments): Promise<void> {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new UsageError({
      where: '--seed',
      what: 'bad seed',
      expected: `an integer in 0..${Number.MAX_SAFE_INTEGER}`,
      got: String(seed),
    })
  const present = await readdir(out).catch(() => []) // what cannot be read is told of by OutputFolder
  if (present.length > 0)
    throw new UsageError({ where: out, what: 'the output folder is not empty', hint: 'another folder' })
  const transfer = new Transfer()
  using stop = new StopSignals()
  const { signal } = stop
  signal.addEventListener('abort', () => transfer.stopping())
  using output = await OutputFolder.create(out)
  try {
    const progress = (done: number, total: number, path: string) => transfer.show(done, total, path)
    await writeRandomCheckpoint(output, { like, dtype, seed, signal, progress })
    stop.ignore()
    await output.commit()
  } finally {
    transfer.end()
  }
  console.log(output.path)
}
