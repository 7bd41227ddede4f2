// Launches the rasteriser over bands of rows: few, since every band looks at every triangle.

import { sizeOf } from '../../tensor/index.js'
import { wasmKernel } from '../../tensor/wasm/launch.js'
import { depthRange, farthestPixel, pixelSteps, rasterOp } from './raster.js'

// Of one picture: enough to keep several threads busy with it.
const bands = 16

export const rasterWasm = wasmKernel(
  rasterOp,
  ({ inputs, outputs: [triangles, shares, depth], params: { height, width } }) => {
    if (sizeOf(triangles.shape) === 0) return []
    const { points, faces } = inputs
    const [batch, vertices] = points.shape
    const bandRows = Math.ceil(height / bands)
    const sizes = { vertices, count: faces.shape[0], height, width, bandRows }
    const limits = { ...depthRange, farthestPixel, steps: pixelSteps }
    return [
      {
        kernel: 'raster',
        params: { points, faces, triangles, shares, depth, ...sizes, ...limits },
        units: batch * Math.ceil(height / bandRows),
      },
    ]
  },
)
