#!/usr/bin/env node
// The command line: `revision <command>` (docs/cli.md).

import { runCli } from './program.js'

// Nobody reads any more, as behind `| head -1`: ends quietly, as other programs do on SIGPIPE.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(141)
    if (stream === process.stdout) console.error(`revision: standard output: cannot be written; got ${code}`)
    process.exit(1)
  })

process.exitCode = await runCli(process.argv.slice(2))
