// A thread that draws clips: it is sent scripts and answers with what it drew, in turn.

import { parentPort } from 'node:worker_threads'
import { drawClip } from './clip.js'
import type { ClipScript } from './script.js'

parentPort?.on('message', (script: ClipScript) => {
  const drawn = drawClip(script)
  parentPort!.postMessage(drawn, [drawn.frames.buffer as ArrayBuffer, drawn.labels.buffer as ArrayBuffer])
})
