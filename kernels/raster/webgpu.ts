// Launches the rasteriser, picture by picture: triangles are set up, those of each tile are found, then each pixel looks
// at those of its tile. Nothing is counted by several invocations, so that every run gives the same. Pictures are cut
// into rows and triangles into runs where they do not fit their bindings.

import { sizeOf } from '../../tensor/index.js'
import { webgpuKernel, windowElements, windowOf, type Dispatch } from '../../tensor/webgpu/launch.js'
import { chunkRows, runsOf } from '../common/rows.js'
import { streamOf, workgroupOf } from '../common/workgroup.js'
import { depthRange, farthestPixel, pixelSteps, rasterOp } from './raster.js'

/** Pixels of a tile along each side. */
const tile = 16
/** Triangles of a block (see records.wgsl), and blocks that share a word: both have a bit each. */
const block = 32
/** Numbers of a triangle between the passes. */
const record = 16

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]

export const rasterWebGpu = webgpuKernel(rasterOp, ({ inputs, outputs, params: { height, width }, facts, scratch }) => {
  const { points, faces } = inputs
  const [triangles, shares, depth] = outputs
  if (sizeOf(triangles.shape) === 0) return []
  const [batch, vertices] = points.shape
  const most = windowElements('f32', facts)
  const rowChunks = chunkRows('raster', height, [{ dtype: 'f32', perRow: 3 * width }], facts)
  const columns = Math.ceil(width / tile)
  const tiles = columns * Math.ceil(rowChunks[0].count / tile)
  chunkRows(
    'raster',
    1,
    [
      { dtype: 'f32', perRow: 3 * vertices },
      { dtype: 'i32', perRow: tiles },
    ],
    facts,
  )
  const together = Math.min(Math.floor(most / record), Math.floor(most / tiles) * block)
  // Without triangles there still are pixels to be written.
  const runs = faces.shape[0] > 0 ? runsOf(faces.shape[0], together) : [{ start: 0, count: 0 }]
  const blocksOf = (count: number) => Math.ceil(count / block)
  const wordsOf = (count: number) => Math.ceil(blocksOf(count) / 32)

  const records = scratch([Math.max(1, runs[0].count), record], 'i32')
  const boxes = scratch([Math.max(1, blocksOf(runs[0].count)), 4], 'i32')
  const touchingBlocks = scratch([Math.max(1, tiles * wordsOf(runs[0].count))], 'i32')
  const touching = scratch([Math.max(1, tiles * blocksOf(runs[0].count))], 'i32')
  const { workgroup } = streamOf(facts)
  const few = workgroupOf(facts)

  return Array.from({ length: batch }, (_, picture) =>
    runs.flatMap(({ start, count }): Dispatch[] => {
      const corners = windowOf(points, 3 * picture * vertices, 3 * vertices, facts)
      const indices = windowOf(faces, 3 * start, 3 * count, facts)
      const [blocks, words] = [blocksOf(count), wordsOf(count)]
      const setup: Dispatch = {
        shader: 'raster/setup.wgsl',
        defines: { WORKGROUP: few, STEPS: pixelSteps },
        bindings: { points: corners.window, faces: indices.window, triangles: records, boxes },
        uniforms: {
          faces: count,
          vertices,
          blocks,
          nearest: bitsOf(depthRange.nearest),
          depths: bitsOf(depthRange.farthest) - bitsOf(depthRange.nearest),
          farthest_pixel: farthestPixel,
          faces_base: indices.base,
          points_base: corners.base,
        },
        workgroups: Math.ceil(blocks / few),
      }
      const passes = rowChunks.flatMap(({ start: first, count: rows }): Dispatch[] => {
        const window = (tensor: typeof depth, numbers: number) =>
          windowOf(tensor, (picture * height + first) * width * numbers, rows * width * numbers, facts)
        const tilesHere = columns * Math.ceil(rows / tile)
        const [of, sharesOf, depthOf] = [window(triangles, 1), window(shares, 3), window(depth, 1)]
        return [
          {
            shader: 'raster/bin.wgsl',
            defines: { WORKGROUP: few, TILE: tile },
            bindings: { records, boxes, touching_blocks: touchingBlocks, touching },
            uniforms: { faces: count, blocks, words, tiles: tilesHere, columns, first_row: first },
            workgroups: Math.ceil((tilesHere * words) / few),
          },
          {
            shader: 'raster/raster.wgsl',
            defines: { WORKGROUP: workgroup, TILE: tile, STEPS: pixelSteps },
            bindings: {
              records,
              touching_blocks: touchingBlocks,
              touching,
              triangles: of.window,
              shares: sharesOf.window,
              depth: depthOf.window,
            },
            uniforms: {
              first_face: start,
              blocks,
              words,
              columns,
              width,
              rows,
              first_row: first,
              triangles_base: of.base,
              shares_base: sharesOf.base,
              depth_base: depthOf.base,
            },
            workgroups: Math.ceil((tilesHere * tile * tile) / workgroup),
          },
        ]
      })
      return [setup, ...passes].filter(({ workgroups }) => workgroups !== 0)
    }),
  ).flat()
})
