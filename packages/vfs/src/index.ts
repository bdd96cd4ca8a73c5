export { assert, verifying } from './assert.ts';
export { readSafe64, readU16, readU32, sameBytes, toHex, writeU16, writeU32, writeU64 } from './bytes.ts';
export { xxh32, xxh32Words } from './checksum.ts';
export { NodeEnv } from './env.ts';
export {
  CorruptionError,
  DataError,
  InvariantError,
  IoError,
  PoisonedError,
  SombraError,
  StateError,
  TransactionError,
} from './errors.ts';
export type { ErrorOptions } from './errors.ts';
export { addDefaultObserver, defaultObservers } from './default-observers.ts';
export type { ObserverFactory } from './default-observers.ts';
export { callHook, hookOwner } from './hooks.ts';
export { Latency, LATENCY_BOUNDS, quantileOf } from './latency.ts';
export type { LatencySnapshot } from './latency.ts';
export { MemoryVfs } from './memory-vfs.ts';
export { NodeVfs } from './node-vfs.ts';
export { decodeAscii, decodeText, decodeUtf8, encodeText } from './text.ts';
export { preadFully, pwriteFully } from './transfer.ts';
export { directoryOf, sameFile, syncDirectory, withDirectory } from './names.ts';
export type {
  DiskSpace,
  EnvWarning,
  FileId,
  FileKind,
  LockMode,
  OpenMode,
  RunInContext,
  SyncKind,
  Vfs,
  VfsDirectory,
  VfsEnv,
  VfsFile,
} from './vfs.ts';
