// What all parts of Stable Video Diffusion agree on: the form of latents, and of what the UNet sees of them.

/** Channels of a latent. */
export const latentChannels = 4

/** Input channels of a UNet without motion condition: noisy latents and the picture's. */
export const baseChannels = 2 * latentChannels

/** Input channels of the motion condition, behind those: label and confidence. */
export const conditionChannels = 2

/** Added time ids: fps - 1, motion bucket, noise augmentation. */
export const addedTimeIdCount = 3
