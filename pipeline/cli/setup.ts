// `revision setup`: installs what is too large to come with the program.

import type { CommandModule } from 'yargs'
import { isSetUp, setUp, setupFolder, setupMegabytes, setupPackages } from '../extract/human-models/install.js'
import { jsonText } from './json.js'
import { StopSignals } from './stop.js'

interface SetupArguments {
  what: 'extract'
  dryRun?: boolean
  json?: boolean
}

export const setupCommand: CommandModule<object, SetupArguments> = {
  command: 'setup <what>',
  describe: 'Install what is too large to come along',
  builder: program =>
    program
      .positional('what', { choices: ['extract'] as const, describe: 'extract: the detector of revision extract' })
      .options({
        'dry-run': { type: 'boolean', describe: 'Only tell what would be installed, and where' },
        json: { type: 'boolean', describe: 'Print one JSON object' },
      })
      .example('$0 setup extract', '') as never,
  handler: async ({ dryRun = false, json }) => {
    const folder = setupFolder()
    const packages = setupPackages()
    const before = await isSetUp(folder)
    if (!json) {
      console.log(before ? `installed already: ${folder}` : `by npm into ${folder}, about ${setupMegabytes} MB:`)
      for (const name of packages) console.log(`  ${name}`)
    }
    if (!dryRun && !before) {
      using stop = new StopSignals()
      await setUp(folder, stop.signal)
    }
    const installed = before || !dryRun
    if (json) console.log(jsonText({ folder, packages, megabytes: setupMegabytes, installed }))
    else if (!before) console.log(dryRun ? 'nothing installed: --dry-run' : 'installed')
  },
}
