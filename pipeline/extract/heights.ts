// How tall people, animals and things commonly are, metres; the names are COCO's classes.

export interface Height {
  readonly metres: number
  /** How far single ones are from it: the deviation of the logarithm. */
  readonly spread: number
}

const certain: Readonly<Record<string, number>> = {
  person: 1.68,
  car: 1.5,
  bus: 3,
  'stop sign': 0.75,
  'sports ball': 0.22,
}
const rough: Readonly<Record<string, number>> = {
  bicycle: 1,
  motorcycle: 1.1,
  truck: 2.8,
  bench: 0.85,
  bird: 0.2,
  cat: 0.28,
  dog: 0.55,
  horse: 1.6,
  sheep: 0.8,
  cow: 1.4,
  elephant: 3,
  bear: 1.1,
  zebra: 1.4,
  giraffe: 4.5,
  backpack: 0.5,
  suitcase: 0.6,
  frisbee: 0.03,
  bottle: 0.25,
  cup: 0.1,
  chair: 0.9,
  couch: 0.85,
  'potted plant': 0.6,
  'dining table': 0.75,
  laptop: 0.25,
  apple: 0.08,
  orange: 0.08,
  'teddy bear': 0.4,
}

/** The height of a class; undefined where its members are of any size. */
export function commonHeight(name: string): Height | undefined {
  if (Object.hasOwn(certain, name)) return { metres: certain[name], spread: name === 'person' ? 0.08 : 0.2 }
  return Object.hasOwn(rough, name) ? { metres: rough[name], spread: 0.35 } : undefined
}
