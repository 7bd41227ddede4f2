#!/usr/bin/env node
// The command line: `revision generate`, `revision doctor`.

import { runCli } from './program.js'

process.exitCode = await runCli(process.argv.slice(2))
