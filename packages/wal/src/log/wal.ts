/**
 * The log of one database (rules F3 to F6, C6, K6): an ordered chain of records in a chain of segments.
 *
 * Invariants:
 * 1. `tail` is the end of the last appended record; bytes after it in the live file are ignored.
 * 2. `published` <= `tail`, and nothing below `published` is ever written again.
 * 3. Everything below `covered` was covered by a sync that succeeded. Records name the lesser of `covered` and `published` as
 *    durable, so that recovery can distinguish damage from a torn tail (rule F6): what is not published may be taken back and written
 *    again, what is not covered may be torn.
 * 4. A sealed segment never changes. Names are durable before anything depends on them.
 * 5. After a failed sync nothing is written or synced any more (rule E1).
 * 6. While `isBetweenSegments`, nothing is appended: the live segment may have its sealed name already.
 */
import {
  CorruptionError,
  directoryOf,
  InvariantError,
  IoError,
  PoisonedError,
  pwriteFully,
  readU32,
  sameBytes,
  StateError,
  syncDirectory,
  withDirectory,
} from '@sombra/vfs';
import type { FileId, VfsDirectory, VfsFile } from '@sombra/vfs';
import { archivedThrough } from '../segment/archive-mark.ts';
import { LogFiles } from './log-files.ts';
import { clearSealedName } from '../segment/found-segments.ts';
import { prepareSegment } from './prepare-segment.ts';
import type { PreparedSegment } from './prepare-segment.ts';
import { inodeNumber, settleNames } from './succession.ts';
import type { RecordBuilder } from '../record/record.ts';
import { livePath, sameLog, sealedPath, SALT_SIZE, SEGMENT_HEADER_SIZE, sparePath } from '../segment/segment.ts';
import type { LogPosition, LogTail } from '../segment/log-position.ts';
import type { PreviousSegment } from '../segment/segment.ts';
import { readHeader } from '../segment/segment-names.ts';
import type { WalOptions } from '../segment/wal-options.ts';

/** Blocks are allocated ahead of the tail in steps that double between these. */
const ALLOCATE_FIRST = 256 * 1024;
const ALLOCATE_LARGEST = 1024 * 1024;
const zeros = new Uint8Array(ALLOCATE_FIRST);

/** Where a writer goes on. */
export interface WalState {
  readonly tail: LogTail;
  /** Offset in the live segment up to which everything is known to be durable. */
  readonly covered: number;
  /** Time of the last record, ms; 0 when there is none. */
  readonly time: number;
}

/** An open log. One writer. Synchronous, but for `syncAsync`. */
export class Wal {
  /** The segments, for reading. */
  readonly files: LogFiles;

  private readonly options: WalOptions;
  private live: VfsFile;
  /** Second descriptor of the live segment: a failure that one descriptor has reported is not reported to the other (C3). */
  private liveAsync: VfsFile | undefined;
  private salt: Uint8Array;
  private seq: number;
  private offset: number;
  private chain: number;
  /** Offsets in the live segment. */
  private covered: number;
  private published: number;
  private nonce: number;
  private allocated: number;
  private allocateStep = ALLOCATE_FIRST;
  private lastTime: number;
  private firstChain = 0;
  /** Counts what was taken back: a sync in flight does not cover what is written in its place. */
  private rewinds = 0;
  /** Names of sealed segments were given up since names were synced. */
  private hasGivenUp = false;
  /** A rotation ended between its two renames. */
  private between = false;
  /** What a failed sync threw. */
  private failure: unknown;
  private closed = false;

  /** Called by `create`, `recoverLog` and `attach`. @param live  open for writing; closed when this throws */
  constructor(options: WalOptions, files: LogFiles, live: VfsFile, state: WalState) {
    this.options = options;
    this.files = files;
    const { seq, offset, chain } = state.tail;
    this.live = live;
    this.seq = seq;
    this.offset = offset;
    this.chain = chain;
    this.salt = files.get(seq).salt;
    this.published = offset;
    this.covered = Math.min(state.covered, offset);
    this.nonce = this.freshNonce();
    this.allocated = sizeOf(live);
    this.lastTime = state.time;
  }

  /**
   * Begins a log whose first segment follows a place that a checkpoint names. The name is durable when it returns.
   * @param start  number of the segment, commit before it, and what it joins
   * @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL (nothing happened), SOMBRA_SYNC; StateError SOMBRA_WAL_EXISTS
   */
  static create(
    options: WalOptions,
    start: { readonly seq: number; readonly lsn: number; readonly previous: PreviousSegment },
  ): Wal {
    const { vfs, path } = options;
    if (vfs.stat(livePath(path)) !== null) {
      throw new StateError(
        'SOMBRA_WAL_EXISTS',
        `${livePath(path)} is there, and a new log would replace it: recover that log, or move it away`,
      );
    }
    const files = new LogFiles(options);
    const { file, salt, chain } = withDirectory(vfs, directoryOf(path), (directory) => {
      const segment = prepareSegment(options, start.seq, start.lsn, start.previous);
      try {
        vfs.rename(sparePath(path), livePath(path));
        directory.sync();
      } catch (error) {
        segment.file.close();
        throw error;
      }
      return segment;
    });
    files.add({ seq: start.seq, salt, before: 0, file: undefined });
    const tail = { seq: start.seq, offset: SEGMENT_HEADER_SIZE, chain };
    return new Wal(options, files, file, { tail, covered: tail.offset, time: 0 });
  }

  /**
   * Goes on where another writer published last. Call under the lock of writers only.
   * @param files  knows the segment of `state.tail`
   * @throws CorruptionError SOMBRA_WAL_DAMAGED when the live file is another segment
   */
  static attach(options: WalOptions, files: LogFiles, state: WalState): Wal {
    const path = livePath(options.path);
    const { salt } = files.get(state.tail.seq);
    const live = options.vfs.open(path, { write: true });
    try {
      const header = readHeader(live);
      if (
        header?.seq !== state.tail.seq ||
        !sameLog(header, options.identity) ||
        !sameBytes(header.salt, 0, salt, 0, SALT_SIZE)
      ) {
        throw new CorruptionError(
          'SOMBRA_WAL_DAMAGED',
          `${path} is not segment ${state.tail.seq} of the log: was it replaced while the database was open?`,
          {
            details: { seq: state.tail.seq, found: header?.seq },
          },
        );
      }
    } catch (error) {
      live.close();
      throw error;
    }
    return new Wal(options, files, live, state);
  }

  /** Behind the last record that was appended. */
  get tail(): LogTail {
    return { seq: this.seq, offset: this.offset, chain: this.chain };
  }

  /** Time of the last record, ms. */
  get time(): number {
    return this.lastTime;
  }

  /** Offset in the live segment up to which everything is published and known to be durable. */
  get synced(): number {
    return Math.min(this.covered, this.published);
  }

  /** Chain value before the first record of the live segment, when this writer began it. */
  get startChain(): number {
    return this.firstChain;
  }

  /** Salt of the live segment: 8 bytes, not to be changed. */
  get liveSalt(): Uint8Array {
    return this.salt;
  }

  /** Which file the live segment is. */
  liveId(): FileId {
    return this.live.stat();
  }

  /**
   * Did a rotation end between its two renames? The next append goes on from there. A writer that does not append has to leave it to its
   * successor, which settles the names.
   */
  get isBetweenSegments(): boolean {
    return this.between;
  }

  /** Must the live segment be sealed before a record of this length? Everything must be published then. */
  isFull(length: number): boolean {
    if (this.between) return true;
    return this.offset + length > this.options.segmentSize && this.offset > SEGMENT_HEADER_SIZE;
  }

  /**
   * Appends a record; on the way, seals the live segment when it is full.
   * @returns where the record begins
   * @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL: the log is as before; SOMBRA_SYNC: nothing written since the last sync may be trusted,
   * give the log up; PoisonedError SOMBRA_LOCK_POISONED afterwards; StateError SOMBRA_WAL_EXISTS: a file that may
   * not be moved has the name that the live segment would get, and the log is as before. See also `isBetweenSegments`
   */
  append(builder: RecordBuilder): LogPosition {
    const { length } = builder;
    this.checkTrusted();
    if (this.isFull(length)) this.trusting(() => this.rotate(builder.lsn - 1));
    this.allocate(this.offset + length);
    const { seq, offset } = this;
    builder.time = Math.max(builder.time, this.lastTime);
    const chain = builder.seal({
      salt: this.salt,
      durableSeq: seq,
      durableOffset: this.synced,
      nonce: this.nonce,
      chain: this.chain,
    });
    try {
      pwriteFully(
        this.live,
        length === builder.bytes.length ? builder.bytes : builder.bytes.subarray(0, length),
        offset,
      );
    } catch (error) {
      this.nonce = this.freshNonce(); // what reached the file of this record never continues the chain
      throw error;
    }
    if (offset + length > this.allocated) this.allocated = offset + length;
    this.offset = offset + length;
    this.chain = chain;
    this.lastTime = builder.time;
    return { seq, offset };
  }

  /**
   * Takes records back that were appended behind `tail` and not published.
   * @param tail  what `tail` was, in the live segment
   */
  rewind(tail: LogTail): void {
    if (tail.seq !== this.seq || tail.offset > this.offset || tail.offset < this.published) {
      throw new InvariantError('only unpublished records of the live segment are taken back');
    }
    this.offset = tail.offset;
    this.covered = Math.min(this.covered, tail.offset);
    this.chain = tail.chain;
    this.nonce = this.freshNonce();
    this.rewinds += 1;
  }

  /**
   * Makes everything durable that was appended.
   * @throws IoError SOMBRA_SYNC: give the log up (rule E1); PoisonedError SOMBRA_LOCK_POISONED afterwards
   */
  sync(): void {
    this.trusting(() => this.live.sync('data'));
    this.covered = this.offset;
  }

  /**
   * `sync` without blocking the thread, over a descriptor of its own. Records may be appended meanwhile; they are not covered. When
   * the system gives no second descriptor, the thread is blocked after all: records that were appended must not stay in doubt.
   */
  async syncAsync(): Promise<void> {
    const { seq, offset, rewinds } = this;
    this.checkTrusted();
    const twin = this.between ? undefined : this.twin(); // the live name may be that of another file
    if (twin === undefined) return this.sync();
    try {
      await twin.syncAsync('data');
    } catch (error) {
      this.distrustAfter(error);
      throw error;
    }
    if (this.seq === seq && this.rewinds === rewinds && offset > this.covered) this.covered = offset;
  }

  private twin(): VfsFile | undefined {
    if (this.liveAsync !== undefined) return this.liveAsync;
    try {
      return (this.liveAsync = this.options.vfs.open(livePath(this.options.path), { write: true }));
    } catch (error) {
      if (error instanceof IoError) return undefined;
      throw error;
    }
  }

  /**
   * Marks appended records as published: they will not be taken back.
   * @param offset  end of the last of them, in the live segment
   */
  publish(offset = this.offset): void {
    if (offset < this.published || offset > this.offset)
      throw new InvariantError('publishing goes forward, up to the tail');
    this.published = offset;
  }

  /**
   * Gives segments up that lie below `seq`, as far as an archive has them. One is kept for the next rotation. Call only when no
   * reader needs them.
   * @throws IoError SOMBRA_IO; the segments that are left are given up by the next call
   */
  release(seq: number): void {
    const { vfs, path } = this.options;
    const end = Math.min(seq, this.seq);
    this.files.forgetBefore(end);
    this.takeSealed(end, archivedThrough(vfs, path), (name) => {
      if (vfs.stat(sparePath(path)) === null) vfs.rename(name, sparePath(path));
      else vfs.unlink(name);
    });
  }

  private takeSealed(end: number, archived: number, take: (name: string) => void): void {
    this.files.takeSealed(end, archived, (name) => {
      this.hasGivenUp = true;
      take(name);
    });
  }

  /**
   * Makes it durable that names were given up. A name of a sealed segment that came back after the live one is gone for good would
   * stay: a file that was closed is opened without a search for such names.
   * @throws IoError SOMBRA_IO, SOMBRA_SYNC: the next call tries again
   */
  syncGivenUp(): void {
    if (!this.hasGivenUp) return;
    syncDirectory(this.options.vfs, directoryOf(this.options.path));
    this.hasGivenUp = false;
  }

  /** Closes the writer's descriptors; those in `files` are not its own. Harmless when repeated. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    try {
      this.liveAsync?.close();
    } finally {
      this.live.close();
    }
  }

  /**
   * Closes and removes all files of the log: what they hold is not needed any more, and that is durable. What an archive does not
   * have yet stays, the live segment under its sealed name; one without a record is no part of the history, and goes.
   * @throws IoError: files may be left, and the next recovery finds what they are
   */
  removeAll(): void {
    // A rotation may have been given up without knowing what became of its first rename.
    const between = this.between && !this.isNamedLive();
    this.close();
    this.files.close();
    const { vfs, path } = this.options;
    const archived = archivedThrough(vfs, path);
    if (!between && this.seq > archived && this.offset > SEGMENT_HEADER_SIZE) {
      withDirectory(vfs, directoryOf(path), (directory) => {
        clearSealedName(this.options, this.seq, directory);
        vfs.rename(livePath(path), sealedPath(path, this.seq));
        directory.sync();
      });
    }
    this.takeSealed(between ? this.seq + 1 : this.seq, archived, (name) => vfs.unlink(name));
    this.syncGivenUp();
    for (const name of [livePath(path), sparePath(path)]) if (vfs.stat(name) !== null) vfs.unlink(name);
  }

  // ---- rotation

  /** Seals the live segment and begins the next one (rule K6). */
  private rotate(lsn: number): void {
    if (this.published !== this.offset) {
      throw new InvariantError('a segment is sealed when all of its records are published');
    }
    this.sync();
    this.beginSegment((this.between ? this.finishRotation(lsn) : undefined) ?? this.exchangeSegments(lsn));
  }

  /** The whole rotation, but for what it changes in memory. */
  private exchangeSegments(lsn: number): PreparedSegment {
    const { vfs, path } = this.options;
    const previous = { salt: this.salt, end: this.offset, chain: this.chain };
    const notBefore = Math.max(this.lastTime, readHeader(this.live)?.time ?? 0);
    return withDirectory(vfs, directoryOf(path), (directory) => {
      clearSealedName(this.options, this.seq, directory);
      const segment = prepareSegment(this.options, this.seq + 1, lsn, previous, notBefore);
      try {
        this.exchangeNames(sealedPath(path, this.seq), directory);
      } catch (error) {
        segment.file.close();
        throw error;
      }
      return segment;
    });
  }

  /**
   * Goes on with a rotation that ended between its two renames, as the successor of a dead writer does. Names are never taken back: that
   * could fail, too, and the rename that was reported as failed may have been done.
   * @returns undefined when the live segment still has its name
   */
  private finishRotation(lsn: number): PreparedSegment | undefined {
    const { options } = this;
    const end = { ...this.tail, lsn, salt: this.salt, inode: inodeNumber(this.live.stat()) };
    const adopted = settleNames(options, end);
    if (adopted === null) return undefined;
    const file = options.vfs.open(livePath(options.path), { write: true });
    return { file, size: sizeOf(file), salt: adopted.salt, chain: adopted.chain };
  }

  /** The log goes on in the next segment, whose name is durable. */
  private beginSegment({ file, size, salt, chain }: PreparedSegment): void {
    const before = this.files.distance(this.tail);
    const { live: sealed, liveAsync: sealedAsync } = this;
    this.between = false;
    this.live = file;
    this.liveAsync = undefined;
    this.seq += 1;
    this.salt = salt;
    this.files.add({ seq: this.seq, salt, before, file: undefined });
    this.offset = SEGMENT_HEADER_SIZE;
    this.chain = this.firstChain = chain;
    this.covered = this.published = this.offset;
    this.allocated = size;
    this.allocateStep = ALLOCATE_FIRST;
    try {
      sealedAsync?.close();
    } finally {
      sealed.close();
    }
  }

  /** The live segment gets its sealed name, and the prepared one the live name. */
  private exchangeNames(sealedName: string, directory: VfsDirectory): void {
    const { vfs, path } = this.options;
    this.between = true;
    try {
      vfs.rename(livePath(path), sealedName);
    } catch (error) {
      this.between = !this.hasLiveName();
      throw error;
    }
    directory.sync();
    vfs.rename(sparePath(path), livePath(path));
    directory.sync();
    this.between = false;
  }

  /** Does the live segment surely have the live name? */
  private hasLiveName(): boolean {
    try {
      return this.isNamedLive();
    } catch {
      return false; // the next append looks again
    }
  }

  /** Does the live segment have the live name? @throws IoError */
  private isNamedLive(): boolean {
    const { vfs, path } = this.options;
    const named = vfs.stat(livePath(path));
    return named !== null && inodeNumber(named) === inodeNumber(this.live.stat());
  }

  /** Allocates blocks ahead of the tail, so that the syncs of commits do not have to (rule K6). */
  private allocate(end: number): void {
    if (end <= this.allocated || this.options.syncMode !== 'full') return;
    const step = Math.min(this.allocateStep, Math.max(this.options.segmentSize, end) - this.allocated);
    if (step <= 0) return;
    try {
      for (let at = this.allocated, left = step; left > 0; ) {
        const part = Math.min(left, zeros.length);
        pwriteFully(this.live, part === zeros.length ? zeros : zeros.subarray(0, part), at);
        at += part;
        left -= part;
      }
    } catch (error) {
      // No room ahead: whether the record itself fits is for its own write to say.
      if (error instanceof IoError && error.code === 'SOMBRA_DISK_FULL') return;
      throw error;
    }
    this.trusting(() => this.live.sync('data'));
    this.allocated += step;
    this.allocateStep = Math.min(this.allocateStep * 2, ALLOCATE_LARGEST);
  }

  /** Runs what may sync. */
  private trusting(run: () => void): void {
    this.checkTrusted();
    try {
      run();
    } catch (error) {
      this.distrustAfter(error);
      throw error;
    }
  }

  private checkTrusted(): void {
    if (this.failure === undefined) return;
    throw new PoisonedError(
      'SOMBRA_LOCK_POISONED',
      `a sync of the log of ${this.options.path} failed: close it and open it again`,
      {
        cause: this.failure,
      },
    );
  }

  private distrustAfter(error: unknown): void {
    if (error instanceof IoError && error.code === 'SOMBRA_SYNC') this.failure ??= error;
  }

  private freshNonce(): number {
    return readU32(this.options.vfs.env.random(4), 0);
  }
}

/** Size of a file that is closed when it has none. */
function sizeOf(file: VfsFile): number {
  try {
    return file.stat().size;
  } catch (error) {
    file.close();
    throw error;
  }
}
