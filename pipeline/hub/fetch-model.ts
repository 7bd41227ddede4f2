// A model from the Hugging Face hub into a folder: only the files that are read here, each checked, and at the end the
// whole.

import { dirname, join, posix } from 'node:path'
import { checkDepthFolder } from '../../models/depth/depth-network.js'
import { openModelFolder, type ModelFolder } from '../../models/svd/folder.js'
import { makeFolder, NodeFileSource } from '../../tensor/files/index.js'
import { readIndex } from '../../tensor/files/shards.js'
import { FileError, UsageError } from '../../tensor/index.js'
import { readEulerConfig } from '../schedulers/euler.js'
import { bytesPresent, download } from './download.js'
import { depthFiles, videoFiles, type HubFiles } from './models.js'
import { type HubFile, type HubOptions, HubRepository } from './repository.js'
import { checkRoom } from './room.js'

const maxSmallBytes = 64 * 2 ** 20

/** What to fetch, and who hears of it. */
export interface FetchOptions extends HubOptions {
  /** Weights under a variant's names, such as fp16; default: full precision, or fp16 where there is nothing else. */
  variant?: string
  /** Hears of bytes that are there, of those in all, and which file is being brought. */
  progress?: (done: number, total: number, path: string) => void
}

/**
 * Brings a Stable Video Diffusion model to a folder; what an earlier run left there is gone on with. Throws a FileError
 * if the hub refuses, files are missing or damaged, there is no room, or the model is not one that runs here; a
 * UsageError on an empty folder, a bad endpoint or token. What has come stays for the next time.
 */
export async function fetchModel(name: string, folder: string, options: FetchOptions = {}): Promise<ModelFolder> {
  await fetchFiles(name, folder, videoFiles(options.variant), options)
  const model = await openModelFolder(folder)
  readEulerConfig(await model.openScheduler())
  return model
}

/** The same for a depth model, as transformers lays it out. */
export async function fetchDepthModel(name: string, folder: string, options: FetchOptions = {}): Promise<void> {
  await fetchFiles(name, folder, depthFiles(options.variant), options)
  await checkDepthFolder(folder)
}

async function fetchFiles(
  name: string,
  folder: string,
  { configs, weights: paths }: HubFiles,
  { progress, ...hub }: FetchOptions,
): Promise<void> {
  if (folder.trim() === '') throw new UsageError({ where: 'fetch', what: 'the name of the folder is empty' })
  const repository = new HubRepository(name, hub)
  const list = await repository.list()
  const weights = paths.map(paths => find(name, list, paths))
  const small = [...configs.map(path => find(name, list, [path])), ...weights.filter(isIndex)]
  for (const { path, size } of small)
    if (size > maxSmallBytes)
      throw new FileError({
        where: `${name}: ${path}`,
        what: 'too long for its kind',
        expected: `at most ${maxSmallBytes} bytes`,
        got: String(size),
      })

  const bring = async (file: HubFile, done = 0, total?: number) => {
    const show = total === undefined ? undefined : (bytes: number) => progress?.(done + bytes, total, file.path)
    const path = join(folder, file.path)
    await makeFolder(dirname(path))
    const remote = { url: repository.urlOf(file.path), size: file.size, sha256: file.sha256 }
    await repository.explain(() => download(remote, path, { ...repository.http, progress: show }))
  }

  await checkPlace(folder, [...small, ...weights])
  for (const file of small) await bring(file)
  const shards = await Promise.all(weights.filter(isIndex).map(index => shardsOf(name, list, folder, index)))
  const large = [...weights.filter(file => !isIndex(file)), ...shards.flat()]
  await checkPlace(folder, large)
  const total = sum(large.map(({ size }) => size))
  let done = 0
  for (const file of large) {
    await bring(file, done, total)
    done += file.size
  }
}

const isIndex = ({ path }: HubFile) => path.endsWith('.json')
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)

/** The first of these paths that is in the repository. */
function find(name: string, list: ReadonlyMap<string, HubFile>, paths: readonly string[]): HubFile {
  const path = paths.find(path => list.has(path))
  const file = path === undefined ? undefined : list.get(path)
  if (file) return file
  throw new FileError({ where: name, what: 'a file is not in the repository', expected: paths.join(' or ') })
}

/** The files that an index names, which lie beside it. */
async function shardsOf(
  name: string,
  list: ReadonlyMap<string, HubFile>,
  folder: string,
  { path }: HubFile,
): Promise<HubFile[]> {
  const source = await NodeFileSource.open(join(folder, path))
  const { weightMap } = await readIndex(source).finally(() => source.close())
  return [...new Set(weightMap.values())].map(shard => find(name, list, [posix.join(dirname(path), shard)]))
}

/** No other files are in the way, and there is room for what is missing. */
async function checkPlace(folder: string, files: readonly HubFile[]): Promise<void> {
  await makeFolder(folder)
  const present = await Promise.all(files.map(file => bytesPresent(file, join(folder, file.path))))
  await checkRoom(folder, sum(files.map(({ size }, i) => Math.max(0, size - present[i]))))
}
