export function openQuadruped(): never { throw new Error() }
