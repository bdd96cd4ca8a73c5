import { CorruptionError, preadFully, readSafe64, readU32, xxh32 } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import { applyOps, DELTA_HEADER_SIZE, ENTRY_DELTA, ENTRY_HEADER_SIZE, ENTRY_IMAGE } from '@sombra/wal';
import type { LogFiles } from '@sombra/wal';
import { LSN_OFFSET, PAGE_NUMBER_OFFSET, stampLsn, verifyPage } from '../format/page-header.ts';
import type { PageIndex } from './page-index.ts';
import { NO_ENTRY } from './page-index.ts';

/**
 * Called when a page of main cannot be read for a view with this limit (rule R2): a checkpoint may be writing it, or it may stand in
 * the double-write area of an unfinished checkpoint.
 * @param again  reads the page of main once more
 * @param cause  what the first read threw
 * @returns lsn of the version that is at `into[at]`
 * @throws what is wrong with the page
 */
export type PageRepair = (
  pageNumber: number,
  limit: number,
  into: Uint8Array,
  at: number,
  again: () => number,
  cause: unknown,
) => number;

/**
 * Builds the version of a page that a view sees (rule R1): the newest image at or below the limit, from the log or from
 * main, then the deltas after it in ascending lsn. Each delta names the version that it applies to, and must meet it:
 * anything else is corruption, never a guess.
 */
export class VersionReader {
  /** Pages read from main, log entries read. */
  mainReads = 0;
  entryReads = 0;
  /** Of the last `read`: lsn of the version that follows the one built, Infinity if it is the newest. */
  until = Infinity;
  /** Of the last `read`: log entries that it took. */
  depth = 0;

  private readonly index: PageIndex;
  private readonly pageSize: number;
  private main: VfsFile;
  private readonly salt: number;
  private readonly repair: PageRepair;
  private log: LogFiles | null = null;
  private scratch = new Uint8Array(1024);
  private stack = new Int32Array(64);

  /** @param salt  the database salt that seeds page checksums */
  constructor(index: PageIndex, pageSize: number, main: VfsFile, salt: number, repair: PageRepair) {
    this.index = index;
    this.pageSize = pageSize;
    this.main = main;
    this.salt = salt;
    this.repair = repair;
  }

  /** Main was reopened. */
  useMain(main: VfsFile): void {
    this.main = main;
  }

  /** Names the log that the index's positions belong to. */
  attach(log: LogFiles): void {
    this.log = log;
  }

  /**
   * Builds version `limit` of a page at `into[at]`; its checksum field is meaningless afterwards.
   * @returns lsn of the version; `until` and `depth` say more
   * @throws CorruptionError SOMBRA_PAGE_CHECKSUM, SOMBRA_PAGE_MISDIRECTED, SOMBRA_PAGE_LSN, SOMBRA_FILE_TRUNCATED,
   *   SOMBRA_DELTA_BASE, SOMBRA_WAL_ENTRY; IoError SOMBRA_IO. The caller then keeps nothing of `into` (rule E3)
   */
  read(pageNumber: number, limit: number, into: Uint8Array, at: number): number {
    const { index } = this;
    let entry = index.head(pageNumber);
    this.until = Infinity;
    while (entry !== NO_ENTRY && index.lsnOf(entry) > limit) {
      this.until = index.lsnOf(entry);
      entry = index.previousOf(entry);
    }
    let deltas = 0;
    while (entry !== NO_ENTRY && index.kindOf(entry) === ENTRY_DELTA) {
      if (deltas === this.stack.length) {
        const stack = new Int32Array(deltas * 2);
        stack.set(this.stack);
        this.stack = stack;
      }
      this.stack[deltas++] = entry;
      entry = index.previousOf(entry);
    }
    this.depth = deltas;
    const fromLog = entry !== NO_ENTRY && index.kindOf(entry) === ENTRY_IMAGE;
    let lsn = fromLog ? this.readImage(entry, into, at) : this.readMain(pageNumber, limit, into, at);
    if (!fromLog && entry !== NO_ENTRY && lsn < index.lsnOf(entry)) throw this.notInMain(entry, lsn);
    for (let next = deltas - 1; next >= 0; next -= 1) {
      const delta = this.stack[next]!;
      // Main may be ahead of the checkpoint: a checkpoint that did not finish wrote it.
      if (index.lsnOf(delta) > lsn) lsn = this.applyDelta(delta, lsn, into, at);
    }
    return lsn;
  }

  /**
   * Reads a page from main, or from the double-write area of an unfinished checkpoint when main's copy is torn (rule R2).
   * @returns its lsn
   */
  private readMain(pageNumber: number, limit: number, into: Uint8Array, at: number): number {
    this.mainReads += 1;
    try {
      return this.readMainOnce(pageNumber, limit, into, at);
    } catch (error) {
      return this.repair(pageNumber, limit, into, at, () => this.readMainOnce(pageNumber, limit, into, at), error);
    }
  }

  private readMainOnce(pageNumber: number, limit: number, into: Uint8Array, at: number): number {
    const read = preadFully(this.main, into.subarray(at, at + this.pageSize), pageNumber * this.pageSize);
    if (read < this.pageSize) {
      throw new CorruptionError(
        'SOMBRA_FILE_TRUNCATED',
        `${this.main.path} ends within page ${pageNumber}: restore a backup`,
        {
          details: { pageNumber },
        },
      );
    }
    return verifyPage(into, at, this.pageSize, pageNumber, this.salt, limit);
  }

  private readImage(entry: number, into: Uint8Array, at: number): number {
    const { index } = this;
    this.readEntry(entry);
    into.set(this.scratch.subarray(ENTRY_HEADER_SIZE, ENTRY_HEADER_SIZE + this.pageSize), at);
    const lsn = index.lsnOf(entry);
    if (readU32(into, at + PAGE_NUMBER_OFFSET) !== index.pageOf(entry) || readSafe64(into, at + LSN_OFFSET) !== lsn) {
      throw this.wrongEntry(entry, 'holds an image of another page or version');
    }
    return lsn;
  }

  private applyDelta(entry: number, lsn: number, into: Uint8Array, at: number): number {
    const { index } = this;
    this.readEntry(entry);
    const base = readSafe64(this.scratch, 8);
    if (base !== lsn) {
      throw new CorruptionError(
        'SOMBRA_DELTA_BASE',
        `page ${index.pageOf(entry)}: the change of commit ${index.lsnOf(entry)} applies to version ${base}, and the version found is ${lsn}; restore a backup`,
        { details: { pageNumber: index.pageOf(entry), lsn: index.lsnOf(entry), expected: base, found: lsn } },
      );
    }
    const length = readU32(this.scratch, 16);
    if (DELTA_HEADER_SIZE + length > index.lengthOf(entry)) throw this.wrongEntry(entry, 'is longer than its place');
    applyOps(into, at, this.pageSize, this.scratch, DELTA_HEADER_SIZE, DELTA_HEADER_SIZE + length);
    const next = index.lsnOf(entry);
    stampLsn(into, at, next);
    return next;
  }

  /** Brings a log entry into `scratch` and compares it with the checksum that the index keeps. */
  private readEntry(entry: number): void {
    const { index } = this;
    this.entryReads += 1;
    const length = index.lengthOf(entry);
    if (length > this.scratch.length) this.scratch = new Uint8Array(length * 2);
    this.log!.readEntry(index.seqOf(entry), index.offsetOf(entry), length, this.scratch, 0);
    if (xxh32(this.scratch, 0, length, index.pageOf(entry)) !== index.checksumOf(entry))
      throw this.wrongEntry(entry, 'has changed since it was written');
  }

  private notInMain(entry: number, found: number): CorruptionError {
    const { index } = this;
    return new CorruptionError(
      'SOMBRA_PAGE_LSN',
      `page ${index.pageOf(entry)} was written to ${this.main.path} by the bulk load of commit ${index.lsnOf(entry)}, and the file has version ${found}: the write was lost; restore a backup`,
      { details: { pageNumber: index.pageOf(entry), expected: index.lsnOf(entry), found } },
    );
  }

  private wrongEntry(entry: number, what: string): CorruptionError {
    const { index } = this;
    return new CorruptionError(
      'SOMBRA_WAL_ENTRY',
      `the log entry of page ${index.pageOf(entry)} in commit ${index.lsnOf(entry)} (segment ${index.seqOf(entry)}, offset ${index.offsetOf(entry)}) ${what}; restore a backup`,
      {
        details: {
          pageNumber: index.pageOf(entry),
          lsn: index.lsnOf(entry),
          seq: index.seqOf(entry),
          offset: index.offsetOf(entry),
        },
      },
    );
  }
}
