// The gradient of sorting: every element goes back to where it came from.

import { gradient } from '../../tensor/index.js'
import { cast } from '../elementwise/cast.js'
import { gather } from '../gather/gather.js'
import { sort, sortOp } from './sort.js'

/** Places are sorted as f32, which is exact below 2^24. */
export const sortGradient = gradient(
  sortOp,
  ({ outputs: [, places], upstream: [g], params: { axis } }) =>
    g ? { x: gather(g, axis, sort(cast(places, 'f32'), axis).indices) } : {},
  () => ['outputs'],
)
