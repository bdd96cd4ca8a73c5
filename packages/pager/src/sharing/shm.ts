/**
 * The shm file: coordination between the connections of a database, in one process or in many (rules C4, L5, L6, E1). It is never
 * synced, never trusted by a first opener, and rebuilt when no connection has the database open.
 *
 *   offset  size  what
 *        0   512  header copy 0 }  written in turn; the valid one with the greater generation counts
 *      512   512  header copy 1 }
 *     1024     4  poison mark
 *     1028     4  held mark: the holder of WRITE has not released it
 *     1032     4  late mark: a connection gave WRITE back while its sync was in flight, and may yet poison
 *     4096  2048  holders of the lock bytes below READ (holders.ts)
 *     6144 10240  figures of connections (figures.ts)
 *    16384  65536 1024 reader marks of 64 bytes
 *
 * A header copy: magic, version, generation, one 8-byte number per field of SharedState, checksum in the last 4 bytes.
 * A reader mark: mark (commit), floor (segment), the reading process and since when, checksum.
 *
 * There is no mmap, so reads and writes are system calls and may tear: whatever is read counts only with its checksum.
 *
 * Source: docs/format/shm.md; format.test.ts compares the tables with the constants.
 */
import {
  CorruptionError,
  preadFully,
  pwriteFully,
  readSafe64,
  readU32,
  sameFile,
  StateError,
  writeU32,
  writeU64,
  xxh32,
} from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { decodeFigures, encodeFigures, FIGURES_OFFSET, FIGURES_SIZE } from './figures.ts';
import type { ConnectionFigures } from './figures.ts';
import { encodeHolder, HOLDER_SIZE, HOLDERS_OFFSET, shmPath } from './holders.ts';
import { isCorruption, isForbidden } from '../base/failure.ts';
import { newSharedState, SHARED_FIELDS, writeSharedFields } from '../format/shared-state.ts';
import type { SharedState } from '../format/shared-state.ts';

export const SHM_COPY_SIZE = 512;
export const SHM_MAGIC = 0;
export const SHM_VERSION = SHM_MAGIC + 4;
export const SHM_GENERATION = SHM_VERSION + 4;
export const SHM_FIELDS = SHM_GENERATION + 8;
export const SHM_CHECKSUM = SHM_COPY_SIZE - 4;
export const SHM_POISON = 2 * SHM_COPY_SIZE;
export const SHM_HELD = SHM_POISON + 4;
export const SHM_LATE = SHM_HELD + 4;
export const SHM_MARKS = 16384;
export const SHM_MARK_SIZE = 64;
export const SHM_MARK_LSN = 0;
export const SHM_MARK_FLOOR = SHM_MARK_LSN + 8;
export const SHM_MARK_SINCE = SHM_MARK_FLOOR + 8;
export const SHM_MARK_PID = SHM_MARK_SINCE + 8;
export const SHM_MARK_CHECKSUM = SHM_MARK_PID + 4;
export const SHM_MARK_COUNT = 1024;
export const SHM_SIZE = SHM_MARKS + SHM_MARK_COUNT * SHM_MARK_SIZE;
const MAGIC = 0x4d485342;
/** 2: 1024 READ slots; with 64, a checkpoint would overlook readers. */
const VERSION = 2;
const SEED = 0x53_48_4d_00;
const SET = 0x31_54_45_53;
/** Reads of a header that is being written, before it counts as damaged. */
const READ_TRIES = 50;

/** What a reader's slot says: it may need commits from `lsn` on, and segments from `floor` on. */
export interface ReaderMark {
  readonly lsn: number;
  readonly floor: number;
  /** The reader: process, and since when, ms. For messages. */
  readonly pid: number;
  readonly since: number;
}

/** The shm file of one connection. */
export class Shm {
  /** Of the header that was read or written last. */
  generation = 0;
  /** As of the last `read`. */
  poisoned = false;
  held = false;
  late = false;

  private readonly file: VfsFile;
  private readonly path: string;
  private readonly buffer = new Uint8Array(SHM_LATE + 4);
  private readonly copy = new Uint8Array(SHM_COPY_SIZE);
  private readonly mark = new Uint8Array(SHM_MARK_SIZE);
  private readonly word = new Uint8Array(4);
  private anyVersion = false;

  private constructor(file: VfsFile, path: string) {
    this.file = file;
    this.path = path;
  }

  /** Rebuilds the file; only a connection that holds RECOVER, and PRESENCE exclusively, may. Every byte is written: no holes (C4). */
  static create(vfs: Vfs, path: string, state: SharedState): Shm {
    const name = shmPath(path);
    if (vfs.stat(name) !== null) vfs.unlink(name);
    const file = vfs.open(name, { write: true, create: true, exclusive: true, like: path });
    const shm = new Shm(file, name);
    try {
      pwriteFully(file, new Uint8Array(SHM_SIZE), 0);
      shm.write(state);
      shm.write(state);
    } catch (error) {
      file.close();
      throw error;
    }
    return shm;
  }

  /** Opens the file that others use; undefined when there is none. Call under RECOVER. */
  static join(vfs: Vfs, path: string): Shm | undefined {
    const name = shmPath(path);
    if (vfs.stat(name) === null) return undefined;
    return new Shm(vfs.open(name, { write: true }), name);
  }

  /** The header in the file as others left it, only good for what was synced (rules O5, F6); undefined without a valid one. */
  static lastHeader(vfs: Vfs, path: string): SharedState | undefined {
    const name = shmPath(path);
    if (vfs.stat(name) === null) return undefined;
    let shm: Shm | undefined;
    const found = newSharedState();
    try {
      shm = new Shm(vfs.open(name, { write: false }), name);
      shm.anyVersion = true; // the fields are those of version 1
      shm.read(found);
      return found;
    } catch (error) {
      if (!isCorruption(error) && !isForbidden(error)) throw error;
      return undefined;
    } finally {
      shm?.close();
    }
  }

  /** Is this still the file under the name? */
  isNamed(vfs: Vfs): boolean {
    return sameFile(vfs.stat(this.path), this.file.stat());
  }

  /**
   * Reads header and marks.
   * @param into  gets the header when it is another one than that of the last call
   * @returns whether it is
   * @throws CorruptionError SOMBRA_SHM when no copy is valid
   */
  read(into: SharedState): boolean {
    const { buffer } = this;
    for (let attempt = 0; attempt < READ_TRIES; attempt += 1) {
      const read = preadFully(this.file, buffer, 0);
      if (read < buffer.length) break;
      this.poisoned = readU32(buffer, SHM_POISON) === SET;
      this.held = readU32(buffer, SHM_HELD) === SET;
      this.late = readU32(buffer, SHM_LATE) === SET;
      const first = readSafe64(buffer, SHM_GENERATION);
      const second = readSafe64(buffer, SHM_COPY_SIZE + SHM_GENERATION);
      // The usual case: nothing has changed, which the generations of both copies show.
      if (Math.max(first, second) === this.generation && this.generation > 0) return false;
      const [newer, older] = first > second ? [0, SHM_COPY_SIZE] : [SHM_COPY_SIZE, 0];
      if (this.decode(newer, into)) return true;
      // Torn or half written: the other copy is the header, unless it is not newer than what we have.
      if (readSafe64(buffer, older + SHM_GENERATION) === this.generation && this.generation > 0) return false;
      if (this.decode(older, into)) return true;
    }
    throw new CorruptionError(
      'SOMBRA_SHM',
      `${this.path} cannot be read: it was damaged or cut while the database was open. Close all connections and open the database again`,
    );
  }

  /** The next read gets the header even if it has not changed. */
  forget(): void {
    this.generation = 0;
  }

  /** Reads the header without it counting as read. */
  peek(into: SharedState): void {
    const { generation } = this;
    this.generation = 0;
    try {
      this.read(into);
    } finally {
      this.generation = generation;
    }
  }

  private decode(at: number, into: SharedState): boolean {
    const { buffer } = this;
    if (readU32(buffer, at + SHM_MAGIC) !== MAGIC) return false;
    if (readU32(buffer, at + SHM_CHECKSUM) !== xxh32(buffer, at, at + SHM_CHECKSUM, SEED)) return false;
    const version = readU32(buffer, at + SHM_VERSION);
    if (version !== VERSION && !(this.anyVersion && version < VERSION)) this.refuseVersion(version);
    this.generation = readSafe64(buffer, at + SHM_GENERATION);
    let place = at + SHM_FIELDS;
    for (const field of SHARED_FIELDS) {
      into[field] = readSafe64(buffer, place);
      place += 8;
    }
    return true;
  }

  private refuseVersion(version: number): never {
    throw new StateError(
      'SOMBRA_FORMAT_VERSION',
      `${this.path} has version ${version}, this release writes version ${VERSION}: another release has the database open. Close it there, or use one release`,
      { details: { path: this.path, version } },
    );
  }

  /** Publishes a header. Only the holder of WRITE may. */
  write(state: Readonly<SharedState>): void {
    const { copy } = this;
    const generation = this.generation + 1;
    writeU32(copy, SHM_MAGIC, MAGIC);
    writeU32(copy, SHM_VERSION, VERSION);
    writeU64(copy, SHM_GENERATION, generation);
    writeSharedFields(copy, SHM_FIELDS, state);
    writeU32(copy, SHM_CHECKSUM, xxh32(copy, 0, SHM_CHECKSUM, SEED));
    // If the write fails, the next one goes to the same copy with a greater generation: the other copy stays valid, and a
    // reader that has seen what reached the file of this one sees the difference.
    this.generation = generation + 1;
    pwriteFully(this.file, copy, (generation & 1) * SHM_COPY_SIZE);
    this.generation = generation;
  }

  /** Sets or clears the poison mark. */
  setPoisoned(on: boolean): void {
    this.poisoned = on;
    this.setWord(SHM_POISON, on);
  }

  /** Is the poison mark set now? */
  readPoisoned(): boolean {
    preadFully(this.file, this.word, SHM_POISON);
    return (this.poisoned = readU32(this.word, 0) === SET);
  }

  /** Says that WRITE is held, or that it was released properly. */
  setHeld(on: boolean): void {
    this.held = on;
    this.setWord(SHM_HELD, on);
  }

  /**
   * Says that a sync of this connection is in flight although it gives WRITE back: its failure may poison during another connection's
   * tenure. The mark stays until the file is rebuilt.
   */
  setLate(): void {
    this.setWord(SHM_LATE, true);
    this.late = true; // not before: what could not be set has to be tried again
  }

  private setWord(at: number, on: boolean): void {
    writeU32(this.word, 0, on ? SET : 0);
    pwriteFully(this.file, this.word, at);
  }

  /** Writes the mark of a READ slot that is locked. */
  writeMark(slot: number, mark: ReaderMark): void {
    const bytes = this.mark;
    writeU64(bytes, SHM_MARK_LSN, mark.lsn);
    writeU64(bytes, SHM_MARK_FLOOR, mark.floor);
    writeU64(bytes, SHM_MARK_SINCE, mark.since);
    writeU32(bytes, SHM_MARK_PID, mark.pid);
    writeU32(bytes, SHM_MARK_CHECKSUM, xxh32(bytes, 0, SHM_MARK_CHECKSUM, SEED));
    pwriteFully(this.file, bytes, SHM_MARKS + slot * SHM_MARK_SIZE);
  }

  /** Mark of a READ slot; undefined while it is being written, or was never. */
  readMark(slot: number): ReaderMark | undefined {
    const bytes = new Uint8Array(SHM_MARK_SIZE);
    if (preadFully(this.file, bytes, SHM_MARKS + slot * SHM_MARK_SIZE) < bytes.length) return undefined;
    if (readU32(bytes, SHM_MARK_CHECKSUM) !== xxh32(bytes, 0, SHM_MARK_CHECKSUM, SEED)) return undefined;
    return {
      lsn: readSafe64(bytes, SHM_MARK_LSN),
      floor: readSafe64(bytes, SHM_MARK_FLOOR),
      since: readSafe64(bytes, SHM_MARK_SINCE),
      pid: readU32(bytes, SHM_MARK_PID),
    };
  }

  /** Records that this process holds a lock byte, for the message of SOMBRA_BUSY. */
  writeHolder(vfs: Vfs, lock: number): void {
    const record = encodeHolder({ pid: vfs.env.pid, host: vfs.env.host, since: vfs.env.wallTimeMs() });
    pwriteFully(this.file, record, HOLDERS_OFFSET + lock * HOLDER_SIZE);
  }

  /** Writes the figures of this connection to a FIGURES slot that it has locked. */
  writeFigures(slot: number, figures: ConnectionFigures): void {
    pwriteFully(this.file, encodeFigures(figures), FIGURES_OFFSET + slot * FIGURES_SIZE);
  }

  /** Figures of a FIGURES slot; undefined while they are being written, or were never. */
  readFigures(slot: number): ConnectionFigures | undefined {
    const bytes = new Uint8Array(FIGURES_SIZE);
    const read = preadFully(this.file, bytes, FIGURES_OFFSET + slot * FIGURES_SIZE);
    return decodeFigures(bytes.subarray(0, read));
  }

  close(): void {
    this.file.close();
  }
}
