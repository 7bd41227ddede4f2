// Models: networks under the checkpoints' own names, and the folders they are read from.

export * from './clip/config.js'
export * from './clip/similarity.js'
export * from './clip/text.js'
export * from './clip/tokenizer.js'
export * from './clip/vision.js'
export * from './svd/config.js'
export * from './svd/folder.js'
export * from './svd/latents.js'
export * from './svd/unet.js'
export * from './svd/vae.js'
export * from './svd/vae-config.js'
