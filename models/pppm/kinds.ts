// What the PPPM knows of each kind of entity: the numbers that describe it in a frame, inside the network.

/** Kinds of entities. */
export const entityKinds = ['human', 'animal', 'object'] as const
export type EntityKind = (typeof entityKinds)[number]

/** Joints that have a rotation of their own: SMPL-X's, SMAL's, none. */
export const jointsOf: Readonly<Record<EntityKind, number>> = { human: 55, animal: 35, object: 0 }

/** Points of an object: 4 box corners, the centre, 16 of the contour, each (x, y, depth). */
export const objectPoints = 21

/**
 * Numbers that describe an entity in one frame. Inside the network joints are 6 numbers of a rotation matrix each, which
 * have no jumps; then comes the translation. Objects are their points.
 */
export function parametersOf(kind: EntityKind): number {
  return kind === 'object' ? 3 * objectPoints : 6 * jointsOf[kind] + 3
}

/**
 * Numbers of a token: parameters, their change since the frame before, how far they are from those of four other frames,
 * whether they are known, and confidence.
 */
export function featuresOf(kind: EntityKind): number {
  return 2 * parametersOf(kind) + 6
}
