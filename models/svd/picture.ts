// Pictures and label maps in host memory: what videos are made from, and what they are made of.

/** An 8-bit RGB picture. */
export interface Picture {
  width: number
  height: number
  /** [height, width, 3], row by row from the top. */
  data: Uint8Array
}

/** One part label a pixel, as the motion condition wants it: 0 is background, 1 to 63 are parts. */
export interface LabelMap {
  width: number
  height: number
  /** [height, width], row by row from the top. */
  data: Uint8Array
}

/** Labels are below this number; the condition channel holds label / 64. */
export const labelCount = 64

/** No picture above this many pixels is decoded or made, whatever its header claims. */
export const maxPixels = 64 * 2 ** 20
