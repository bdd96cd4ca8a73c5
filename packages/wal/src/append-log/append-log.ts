/**
 * An append log: records of bytes in order, durable, found again after a crash. One writer; a `Wal` whose records hold bytes.
 *
 * Invariants:
 * 1. Positions are consecutive. `first` to `last` are there, `durable` and those before it survive a power loss.
 * 2. `headers` are those of the segments that are there, in order; the last one is live.
 * 3. Segments are given up from the oldest on, each removal durable before the next: a crash leaves no gap, so a gap is damage.
 * 4. After a failed sync nothing is written any more; reads go on.
 */
import {
  callHook,
  CorruptionError,
  DataError,
  directoryOf,
  IoError,
  Latency,
  PoisonedError,
  SombraError,
  StateError,
  withDirectory,
} from '@sombra/vfs';
import type { LatencySnapshot, VfsFile } from '@sombra/vfs';
import { Cursor } from './append-log-cursor.ts';
import type { ReadableLog } from './append-log-cursor.ts';
import { Followers } from './append-log-followers.ts';
import type { FollowSignal } from './append-log-followers.ts';
import { openAppendLog } from './append-log-open.ts';
import type { OpenedAppendLog } from './append-log-open.ts';
import { resolveAppendLogOptions } from './append-log-options.ts';
import type { AppendLogHooks, AppendLogOptions, ResolvedAppendLogOptions } from './append-log-options.ts';
import { AppendedSegment } from './append-log-reader.ts';
import type { AppendedRecord, SegmentEnd } from './append-log-reader.ts';
import { RECORD_COMMIT, RecordBuilder } from '../record/record.ts';
import type { SegmentHeader } from '../segment/segment.ts';
import { livePath, sealedPath, SEGMENT_HEADER_SIZE } from '../segment/segment.ts';
import type { LogTail } from '../segment/log-position.ts';
import type { Wal } from '../log/wal.ts';

/** Longest record, bytes: it is in memory as a whole when it is written and read. */
export const APPEND_BYTES_MAX = 2 ** 28;

/** Syncs whose durations are kept for quantiles. */
const SYNCS_KEPT = 1000;

/** Figures of an append log. */
export interface AppendLogStats {
  /** Position of the oldest record that is there; `last` + 1 when there is none. */
  readonly first: number;
  /** Position of the newest record; 0 when there never was one. */
  readonly last: number;
  /** The record at this position and those before it survive a power loss. */
  readonly durable: number;
  /** Files of records. */
  readonly segments: number;
  /** Bytes of records in them. */
  readonly bytes: number;
  /** Syncs that `append`, `sync` and `syncAsync` made since the log was opened. */
  readonly syncs: number;
  /** How long each of these took. */
  readonly syncLatency: LatencySnapshot;
  /** Bytes that were ignored when the log was opened: room allocated ahead, a torn record, damage with `toLastGood`. */
  readonly droppedBytes: number;
}

/** How records are followed. */
export interface FollowOptions {
  /** Ends the following. */
  readonly signal?: FollowSignal | undefined;
}

/** What `check` found. */
export interface AppendLogProblem {
  /** as of the error that reading throws */
  readonly code: string;
  readonly message: string;
}

/** An open append log. */
export class AppendLog {
  private readonly options: ResolvedAppendLogOptions;
  private readonly lock: VfsFile | undefined;
  private readonly wal: Wal;
  private readonly headers: SegmentHeader[];
  private readonly builder = new RecordBuilder(0);
  /** Descriptors of reads that have not ended. */
  private readonly reading = new Set<VfsFile>();
  private readonly followers = new Followers();
  private readonly droppedBytes: number;
  private readonly readable: ReadableLog;
  /** Last record in the file of the live segment; it becomes `last` when it is accepted. */
  private written: number;
  private last: number;
  private durable: number;
  private syncs = 0;
  private readonly syncLatency = new Latency(SYNCS_KEPT);
  private syncing: Promise<void> | undefined;
  private failure: unknown;
  private isClosed = false;

  private constructor(options: ResolvedAppendLogOptions, lock: VfsFile | undefined, opened: OpenedAppendLog) {
    this.options = options;
    this.lock = lock;
    this.wal = opened.wal;
    this.headers = opened.headers;
    this.last = this.durable = this.written = opened.last;
    this.droppedBytes = opened.droppedBytes;
    this.readable = {
      path: options.path,
      segmentOf: (position) => this.segmentOf(position),
      endOf: (header) => this.endOf(header),
      openSegment: (header) => this.openSegment(header),
      closeSegment: (file) => this.closeSegment(file),
    };
  }

  /**
   * Opens a log, with everything that was durable before a crash; creates it when there is none.
   * @throws DataError SOMBRA_CONFIG; IoError SOMBRA_BUSY when it is open elsewhere, SOMBRA_IO, SOMBRA_DISK_FULL, SOMBRA_SYNC;
   *   StateError SOMBRA_LOCKS_UNAVAILABLE, SOMBRA_WAL_FOREIGN (a file there belongs to another log), SOMBRA_FORMAT_VERSION;
   *   CorruptionError SOMBRA_WAL_DAMAGED: nothing was changed
   */
  static open(options: AppendLogOptions): AppendLog {
    const resolved = resolveAppendLogOptions(options);
    const lock = lockLog(resolved);
    try {
      return new AppendLog(resolved, lock, openAppendLog(resolved));
    } catch (error) {
      lock?.close();
      throw error;
    }
  }

  /**
   * Appends a record. With sync mode full it is durable when this returns.
   * @param bytes  up to 2^28; copied
   * @returns its position: 1 for the first record of a log, one more for each later one
   * @throws IoError SOMBRA_DISK_FULL, SOMBRA_IO: the record is not there, and the log goes on; SOMBRA_SYNC: whether it is there
   *   is known after the next open; DataError SOMBRA_VALUE_TOO_LARGE; PoisonedError SOMBRA_LOCK_POISONED; StateError SOMBRA_CLOSED
   */
  append(bytes: Uint8Array): number {
    const position = this.write(bytes);
    if (this.options.syncMode === 'full') this.syncUpTo(position);
    this.count(position, bytes.length);
    return position;
  }

  /**
   * As `append`, without blocking the thread for the sync: records whose promises wait at the same time share one. The record is
   * there at once for `read`, in the order of the calls. With sync mode normal, too, the promise waits until it is durable.
   * @returns its position, when it is durable
   * @throws nothing: the promise is rejected with what `append` and `syncAsync` throw. After SOMBRA_SYNC and
   *   SOMBRA_LOCK_POISONED the next open shows whether the record is there
   */
  async appendAsync(bytes: Uint8Array): Promise<number> {
    const position = this.write(bytes);
    this.count(position, bytes.length);
    await this.syncAsync();
    return position;
  }

  /** Makes every record durable. @throws IoError SOMBRA_SYNC, PoisonedError SOMBRA_LOCK_POISONED, StateError SOMBRA_CLOSED */
  sync(): void {
    this.checkWritable();
    if (this.durable < this.last) this.syncUpTo(this.last);
  }

  /** `sync` without blocking the thread, for the records that are there now. Calls that wait at the same time share a sync. */
  async syncAsync(): Promise<void> {
    const wanted = this.last;
    this.checkWritable();
    while (this.durable < wanted) {
      this.checkWritable();
      this.syncing ??= this.startSync();
      await this.syncing;
    }
  }

  /**
   * Reads records in order, up to the last one that is there when this is called.
   * @param from  first position; default the oldest record
   * @throws StateError SOMBRA_TRUNCATED when that record was given up, also while reading; SOMBRA_CLOSED; CorruptionError
   *   SOMBRA_WAL_DAMAGED, SOMBRA_WAL_RECORD; IoError
   */
  read(from = this.first): IterableIterator<AppendedRecord> {
    this.checkOpen();
    checkPosition(from);
    this.checkKept(from);
    return this.records(from, this.last);
  }

  /**
   * Reads records in order and waits for later ones. It ends when the log is closed, when the signal aborts, by `return` (which
   * leaving a loop calls), never by itself. With sync mode normal, and from `appendAsync`, a record may come before it is durable: see
   * `stats().durable`.
   * @param from  first position; default the oldest record
   * @throws as `read`; RangeError and StateError SOMBRA_CLOSED at once
   */
  follow(from = this.first, options: FollowOptions = {}): AsyncGenerator<AppendedRecord, void, undefined> {
    this.checkOpen();
    checkPosition(from);
    this.checkKept(from);
    return this.following(from, options.signal);
  }

  /**
   * Deletes records before `position`, in whole files only: disk space is freed in steps of `segmentSize`.
   * @returns position of the oldest record that is there now
   * @throws IoError SOMBRA_IO: the records that are left are given up by the next call; SOMBRA_SYNC; PoisonedError; StateError
   */
  truncateBefore(position: number): number {
    this.checkWritable();
    if (!Number.isSafeInteger(position)) throw new RangeError(`a position is an integer, not ${position}`);
    const { headers, options, wal } = this;
    const before = this.first;
    if (headers.length > 1 && headers[1]!.baseLsn < position) {
      withDirectory(options.vfs, directoryOf(options.path), (directory) => {
        while (headers.length > 1 && headers[1]!.baseLsn < position) {
          const { seq } = headers[0]!;
          wal.release(seq + 1);
          headers.shift();
          this.trusting(() => directory.sync());
        }
      });
    }
    const { first } = this;
    if (first !== before) this.callHook((hooks) => hooks.truncated?.(first));
    return first;
  }

  /** Reads everything. @returns what is wrong; empty when all is well */
  check(): AppendLogProblem[] {
    this.checkOpen();
    const problems: AppendLogProblem[] = [];
    for (const header of [...this.headers]) {
      const file = this.openSegment(header);
      try {
        const segment = new AppendedSegment(this.options.path, file, header, this.endOf(header));
        while (segment.next()) segment.current();
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        problems.push({ code: error.code, message: error.message });
      } finally {
        this.closeSegment(file);
      }
    }
    return problems;
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** Figures as of now. A closed log has those with which it was closed. */
  stats(): AppendLogStats {
    const { last, durable, syncs, droppedBytes, headers } = this;
    let bytes = 0;
    for (const header of headers) bytes += this.endOf(header).end - SEGMENT_HEADER_SIZE;
    const syncLatency = this.syncLatency.snapshot();
    return { first: this.first, last, durable, segments: headers.length, bytes, syncs, syncLatency, droppedBytes };
  }

  /** Makes everything durable and closes. Harmless when repeated. @throws IoError SOMBRA_SYNC; it is closed nevertheless */
  close(): void {
    if (this.isClosed) return;
    try {
      if (this.failure === undefined) this.sync();
    } finally {
      this.isClosed = true;
      this.followers.wake();
      for (const file of this.reading) file.close();
      this.wal.close();
      this.wal.files.close();
      this.lock?.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private get first(): number {
    return this.headers[0]!.baseLsn + 1;
  }

  // ---- reading

  private *records(from: number, to: number): IterableIterator<AppendedRecord> {
    const cursor = new Cursor(this.readable, from);
    try {
      while (cursor.position <= to) yield cursor.next();
      this.checkOpen();
    } finally {
      cursor.close();
    }
  }

  private async *following(
    from: number,
    signal: FollowSignal | undefined,
  ): AsyncGenerator<AppendedRecord, void, undefined> {
    const isOver = (): boolean => this.isClosed || signal?.aborted === true;
    const cursor = new Cursor(this.readable, from);
    try {
      while (!isOver()) {
        if (cursor.position <= this.last) yield cursor.next();
        else await this.followers.wait(signal);
      }
    } finally {
      cursor.close();
    }
  }

  private checkKept(position: number): void {
    if (position >= this.first) return;
    throw new StateError(
      'SOMBRA_TRUNCATED',
      `record ${position} of ${this.options.path} was given up: the oldest one is ${this.first}`,
      {
        details: { position, first: this.first },
      },
    );
  }

  /** Headers are found by halving: there may be thousands. */
  private segmentOf(position: number): SegmentHeader {
    this.checkOpen();
    this.checkKept(position);
    const { headers } = this;
    let [low, high] = [0, headers.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (headers[middle]!.baseLsn < position) low = middle;
      else high = middle - 1;
    }
    return headers[low]!;
  }

  private endOf({ seq }: SegmentHeader): SegmentEnd {
    const next = this.headers[seq + 1 - this.headers[0]!.seq];
    if (next !== undefined) return { ...next.previous, position: next.baseLsn };
    const { offset, chain } = this.wal.tail;
    return { end: offset, chain, position: this.written };
  }

  private openSegment({ seq }: SegmentHeader): VfsFile {
    const { vfs, path } = this.options;
    const file = vfs.open(seq === this.wal.tail.seq ? livePath(path) : sealedPath(path, seq), { write: false });
    this.reading.add(file);
    return file;
  }

  private closeSegment(file: VfsFile): void {
    this.reading.delete(file);
    file.close();
  }

  // ---- writing

  /** Writes a record behind the last one. It is accepted by `count`. */
  private write(bytes: Uint8Array): number {
    this.checkWritable();
    if (!(bytes instanceof Uint8Array)) throw new TypeError('append takes a Uint8Array');
    if (bytes.length > APPEND_BYTES_MAX) {
      throw new DataError(
        'SOMBRA_VALUE_TOO_LARGE',
        `a record of ${bytes.length} bytes is longer than ${APPEND_BYTES_MAX}: split it`,
        {
          details: { length: bytes.length },
        },
      );
    }
    const { wal, builder, options } = this;
    const before = wal.tail;
    const position = this.last + 1;
    builder.begin(RECORD_COMMIT, position, options.vfs.env.wallTimeMs(), 0);
    builder.addBytes(bytes);
    try {
      this.trusting(() => wal.append(builder));
    } finally {
      this.noteRotation(before); // also when the rotation succeeded and the write did not
    }
    this.written = position;
    return position;
  }

  /** Accepts the record that was written. */
  private count(position: number, length: number): void {
    this.wal.publish();
    this.last = position;
    this.callHook((hooks) => hooks.appended?.(position, length));
    this.followers.wake();
  }

  private noteRotation(before: LogTail): void {
    const { wal, headers } = this;
    const { seq } = wal.tail;
    if (seq === before.seq) return;
    const sealed = headers.at(-1)!;
    headers.push({
      ...sealed,
      seq,
      salt: wal.liveSalt,
      baseLsn: this.last,
      previous: { salt: sealed.salt, end: before.offset, chain: before.chain },
      time: wal.time,
      chain: wal.startChain,
    });
    const { last } = this;
    this.callHook((hooks) => hooks.rotated?.(seq, last + 1));
    this.coverUpTo(last); // a segment is synced before it is sealed
  }

  private syncUpTo(position: number): void {
    const begun = this.options.vfs.env.monotonicMs();
    this.trusting(() => this.wal.sync());
    this.countSync(begun);
    this.coverUpTo(position);
  }

  private countSync(begun: number): void {
    this.syncs += 1;
    this.syncLatency.record(this.options.vfs.env.monotonicMs() - begun);
  }

  private coverUpTo(position: number): void {
    if (position <= this.durable) return;
    this.durable = position;
    this.callHook((hooks) => hooks.synced?.(position));
  }

  private async startSync(): Promise<void> {
    const covers = this.last;
    const begun = this.options.vfs.env.monotonicMs();
    try {
      await this.wal.syncAsync();
      this.countSync(begun);
      this.coverUpTo(covers);
    } catch (error) {
      this.distrustAfter(error);
      throw error;
    } finally {
      this.syncing = undefined;
    }
  }

  private trusting(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.distrustAfter(error);
      throw error;
    }
  }

  private distrustAfter(error: unknown): void {
    if (!(error instanceof SombraError) || error.code !== 'SOMBRA_SYNC' || this.failure !== undefined) return;
    this.failure = error;
    this.callHook((hooks) => hooks.poisoned?.(error));
  }

  private callHook(call: (hooks: AppendLogHooks) => unknown): void {
    const { vfs, hooks, path } = this.options;
    callHook(vfs.env, path, () => call(hooks));
  }

  private checkOpen(): void {
    if (this.isClosed) throw new StateError('SOMBRA_CLOSED', `the log ${this.options.path} is closed: open it again`);
  }

  private checkWritable(): void {
    this.checkOpen();
    if (this.failure === undefined) return;
    throw new PoisonedError(
      'SOMBRA_LOCK_POISONED',
      `a sync of the log ${this.options.path} failed: close it and open it again`,
      { cause: this.failure },
    );
  }
}

/** @throws RangeError */
function checkPosition(from: number): void {
  if (!Number.isSafeInteger(from) || from < 1) throw new RangeError(`a position is an integer from 1 on, not ${from}`);
}

/** One process and one `AppendLog` at a time. */
function lockLog({ vfs, path, locking }: ResolvedAppendLogOptions): VfsFile | undefined {
  if (locking === 'none') return undefined;
  if (!vfs.locksAvailable) {
    throw new StateError(
      'SOMBRA_LOCKS_UNAVAILABLE',
      'file locks are not available here: install the optional package fs-native-extensions, or open with locking none if nothing else opens the log',
    );
  }
  const file = vfs.open(`${path}-lock`, { write: true, create: true });
  try {
    if (file.tryLock(0, 1, 'exclusive')) return file;
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  throw new IoError('SOMBRA_BUSY', `${path} is open elsewhere: close it there first`, { details: { path } });
}
