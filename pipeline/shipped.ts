// What comes with the package: small weights of our own, so that everything works before anything is fetched.

import { fileURLToPath } from 'node:url'

const weights = new URL('../../weights/', import.meta.url)

/** Models that are shipped: the motion prior's file, and the folder of the pocket model in diffusers' layout. */
export const shipped = {
  pppm: fileURLToPath(new URL('pppm-small/model.safetensors', weights)),
  pocket: fileURLToPath(new URL('pocket', weights)),
} as const
