// The part of omggif that tests use; the package has no types.

declare module 'omggif' {
  export class GifReader {
    constructor(file: Uint8Array)
    readonly width: number
    readonly height: number
    numFrames(): number
    loopCount(): number | null
    /** `delay` in hundredths of a second. */
    frameInfo(frame: number): { delay: number }
    decodeAndBlitFrameRGBA(frame: number, pixels: Uint8Array): void
  }
}
