export type {
  ByteRange,
  CallOptions,
  ConditionalWrites,
  GetOptions,
  ObjectBody,
  ObjectEntry,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  StoredObject,
  SweepOptions,
} from './base/object-store.ts';
export { openObjectStore } from './store/open-object-store.ts';
export type { ObjectStoreOptions } from './store/open-object-store.ts';
export type { S3Options } from './store/s3-options.ts';
export type { UnenforcedConditions } from './store/unenforced.ts';
