// `revision fetch`: a model from the Hugging Face hub.

import type { CommandModule } from 'yargs'
import { fetchDepthModel, fetchModel } from '../hub/fetch-model.js'
import { hubModelNames, hubModels, type HubModelName } from '../hub/models.js'
import { StopSignals } from './stop.js'
import { Transfer } from './transfer.js'

interface FetchArguments {
  model: HubModelName
  to: string
  endpoint?: string
  token?: string
  variant?: string
  revision?: string
}

const known = hubModelNames.map(name => `${name} (${hubModels[name].about})`).join(', ')

export const fetchCommand: CommandModule<object, FetchArguments> = {
  command: 'fetch <model>',
  describe: 'Download a model',
  builder: program =>
    program.positional('model', { choices: hubModelNames, describe: `Which model: ${known}` }).options({
      to: { type: 'string', demandOption: true, requiresArg: true, describe: 'Folder for the model' },
      variant: { choices: ['fp16'], requiresArg: true, describe: 'fp16: weights of half the size. Default: all bits' },
      token: { type: 'string', requiresArg: true, describe: "The hub's access token. Default: HF_TOKEN" },
      endpoint: { type: 'string', requiresArg: true, describe: 'The hub or a mirror. Default: HF_ENDPOINT or the hub' },
      revision: { type: 'string', requiresArg: true, describe: 'Branch, tag or commit; default main' },
    }) as never,
  handler: run,
}

async function run({ model, to, endpoint, token, variant, revision }: FetchArguments): Promise<void> {
  const transfer = new Transfer()
  using stop = new StopSignals()
  const { signal } = stop
  signal.addEventListener('abort', () => transfer.stopping())
  try {
    const { repository, kind } = hubModels[model]
    const fetch = kind === 'depth' ? fetchDepthModel : fetchModel
    await fetch(repository, to, {
      endpoint: endpoint ?? (process.env.HF_ENDPOINT || undefined),
      token: token ?? process.env.HF_TOKEN,
      variant,
      revision,
      signal,
      progress: (done, total, path) => transfer.show(done, total, path),
    })
  } finally {
    transfer.end()
  }
  console.log(to)
}
