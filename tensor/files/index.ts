// Files of tensors: safetensors in one file or in shards, and NumPy's arrays.

export type { HostTensor, TensorChunk, TensorFile, TensorInfo } from './tensor-file.js'
export type { StoredDType } from './stored.js'
export { type ByteSource, MemorySource } from './source.js'
export { SafetensorsFile } from './safetensors.js'
export { ShardedFile } from './shards.js'
export { parseNpy, readNpy } from './npy.js'
export { NpzFile } from './npz.js'
export { NodeFileSource, openCheckpoint, openSafetensors, type SafetensorsEntry, writeSafetensors } from './node.js'
