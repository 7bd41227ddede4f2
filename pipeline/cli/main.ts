#!/usr/bin/env node
// The command line: `revision <command>` (docs/cli.md).

import { runCli } from './program.js'

// Nobody reads any more, as behind `| head -1`: ends quietly, as other programs do on SIGPIPE.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 1))

process.exitCode = await runCli(process.argv.slice(2))
