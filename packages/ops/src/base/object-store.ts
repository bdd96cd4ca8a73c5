/**
 * One place for bytes elsewhere: whole objects under names, in a directory or in S3. Backups and archives are written through this
 * interface, and know nothing of the place.
 *
 * What every place gives:
 * 1. A reader sees the old object, the new one, or none, never a part.
 * 2. What a fulfilled promise says is durable.
 * 3. Memory is bounded, whatever the size of an object.
 */

/** Bytes of an object: at once, or piece by piece. */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array>;

/** Options of every call. */
export interface CallOptions {
  /** Ends the call with SOMBRA_ABORTED. */
  readonly signal?: AbortSignal | undefined;
}

/** When an object is written. Without a condition: always. */
export interface PutOptions extends CallOptions {
  /** Only if there is no object of this key. */
  readonly ifAbsent?: true | undefined;
  /** Only if the object of this key still has this etag. */
  readonly ifUnchanged?: string | undefined;
}

/** What was written. */
export interface PutResult {
  /** Changes when the content changes; compare it, and nothing else. */
  readonly etag: string;
  /** bytes */
  readonly size: number;
}

/** Which bytes to read. What lies behind the end is left out. */
export interface ByteRange {
  /** First byte, from 0. */
  readonly offset: number;
  /** Bytes; default to the end. */
  readonly length?: number | undefined;
}

export interface GetOptions extends CallOptions {
  readonly range?: ByteRange | undefined;
}

/** An object without its bytes, as a list has it. */
export interface ObjectEntry {
  readonly key: string;
  /** bytes */
  readonly size: number;
  /** Time of day at which it was written, ms since 1970, by the clock of the place. */
  readonly modifiedMs: number;
}

/** An object without its bytes. */
export interface ObjectInfo extends ObjectEntry {
  readonly etag: string;
}

/** An object that is being read. */
export interface StoredObject extends ObjectInfo {
  /** The bytes, once; pieces of at most 1 MiB. It rejects when the rest cannot be read. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up what was not read. Needed only when `body` is not read to its end; harmless otherwise. */
  close(): void;
}

/** Which conditions of `put` the place enforces, so that of two writers at once exactly one succeeds. */
export interface ConditionalWrites {
  readonly ifAbsent: boolean;
  readonly ifUnchanged: boolean;
}

export interface SweepOptions extends CallOptions {
  /**
   * Where the place cannot tell whether a writer still lives, ms since it wrote last after which it counts as dead. Default a day.
   */
  readonly olderThanMs?: number | undefined;
}

/** Objects under keys. Keys are names with `/`, as in `wal/000012`; see `checkKey`. */
export interface ObjectStore {
  /** Where it is, for messages. */
  readonly location: string;
  /**
   * Writes an object, in place of the one that is there. Whatever goes wrong before the new object is there leaves the old one.
   * @throws DataError SOMBRA_OBJECT_KEY; StateError SOMBRA_OBJECT_EXISTS, SOMBRA_OBJECT_CHANGED: the condition did not hold,
   *   SOMBRA_CONDITION_UNENFORCED: the place does not enforce it; SOMBRA_ABORTED; IoError SOMBRA_DISK_FULL, SOMBRA_PERMISSION,
   *   SOMBRA_STORE_MISSING, SOMBRA_STORE_UNREACHABLE, SOMBRA_STORE_FAILED, SOMBRA_IO: the old object is there; SOMBRA_SYNC, or
   *   SOMBRA_STORE_UNREACHABLE at the end: it may be the new one; what `body` throws
   */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<PutResult>;
  /**
   * Opens an object. Whoever does not read `body` to its end calls `close`.
   * @throws StateError SOMBRA_OBJECT_MISSING; SOMBRA_ABORTED; DataError SOMBRA_OBJECT_KEY; IoError as `put`
   */
  get(key: string, options?: GetOptions): Promise<StoredObject>;
  /** @returns undefined when there is none @throws as `get` */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;
  /**
   * Objects whose keys begin with `prefix`, which need not end at a `/`, in the order of the bytes of their keys in UTF-8. What is written
   * or deleted meanwhile may be in it or not.
   * @throws as `get`
   */
  list(prefix?: string, options?: CallOptions): AsyncIterable<ObjectEntry>;
  /** Deletes an object; harmless when there is none. @throws as `get`, but for a missing object */
  delete(key: string, options?: CallOptions): Promise<void>;
  /** Tries out what the place enforces, once. @throws IoError as `put` */
  conditionalWrites(options?: CallOptions): Promise<ConditionalWrites>;
  /** Removes what writers that died have left; `list` never shows it. @returns how much it was, in pieces */
  sweep(options?: SweepOptions): Promise<number>;
  /** Gives connections back. No call may follow. */
  close(): void;
}
