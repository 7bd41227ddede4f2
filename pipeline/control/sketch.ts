// A sketch of a pose: shapes in a picture, each of which says where a part is to be in the last frame.

import { animalParts, firstAnimalLabel, humanParts } from '../../models/body/labels.js'
import { labelName } from '../render/palette.js'
import { firstObjectLabel } from '../scene/scene.js'

/** A place in a picture of any size: 0..1 of its width and of its height; outside of that, outside of the picture. */
export type Place = readonly [x: number, y: number]

/** What a shape stands for: the label of a part, or an object by its label or by its name in the scene. */
export type SketchPart = { readonly label: number } | { readonly object: string }

interface Named {
  /** Where it stands in the file: `shapes[2]`. */
  readonly at: string
  /** Which body or object of the scene it is about; by default the nearest. */
  readonly entity?: string
}

/** Lengths are in heights of the picture. */
export type FilledShape = Named & { readonly part: SketchPart } & (
    | {
        readonly type: 'ellipse'
        readonly centre: Place
        readonly radii: readonly [number, number]
        readonly turn: number
      }
    | { readonly type: 'polygon'; readonly points: readonly Place[] }
    | { readonly type: 'stroke'; readonly points: readonly Place[]; readonly width: number }
  )

/** Moves the part that is seen at a place in the first frame; of several parts there, the one it names. */
export interface Drag extends Named {
  readonly type: 'drag'
  readonly from: Place
  readonly to: Place
  readonly part?: SketchPart
}

export type SketchShape = FilledShape | Drag

export interface Sketch {
  /** Names it in messages: its file. */
  readonly where: string
  /** Later shapes lie over earlier ones. */
  readonly shapes: readonly SketchShape[]
}

/** Names of parts in sketches, as legends have them: `left hand`, `animal tail`. */
export const sketchParts: readonly string[] = Array.from(
  { length: humanParts.length - 1 + animalParts.length },
  (_, i) => labelName(i + 1),
)

/** The label of a part's name; undefined for any other text. */
export function labelOfPart(name: string): number | undefined {
  const place = sketchParts.indexOf(name)
  return place < 0 ? undefined : place + 1
}

/** The kind of entity that a label belongs to. */
export function kindOfLabel(label: number): 'human' | 'animal' | 'object' {
  return label >= firstObjectLabel ? 'object' : label >= firstAnimalLabel ? 'animal' : 'human'
}
