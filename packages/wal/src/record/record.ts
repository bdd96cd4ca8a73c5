/**
 * Log records (rule F4). One record is one commit, 8-byte aligned, never split over segments.
 *
 *   offset  size  field
 *        0     8  salt of the segment
 *        8     4  length of the record, header and padding included; a multiple of 8
 *       12     4  kind
 *       16     8  lsn: number of the commit
 *       24     8  time, ms; never earlier than the record before
 *       32     8  pages of the database after the commit
 *       40     8  durableThrough: segment } log position that was known to be synced
 *       48     8  durableThrough: offset  } and published when this was written
 *       56     4  nonce of the writer: fresh at each open and after each failed append
 *       60     4  number of entries
 *       64     4  checksum of bytes [0, 64) and [72, length)
 *       68     4  chain value: of the record before, the checksum, the nonce
 *       72        entries
 *
 * An entry is 8-byte aligned: page number, kind, then an image, or a delta:
 *
 *        0     4  page number
 *        4     4  kind: 1 image, 2 delta, 3 bytes
 *        8        image: one page                 | delta: 8  lsn of the version that it applies to
 *                                                 |       16  4  bytes of operations
 *                                                 |       20  4  number of operations
 *                                                 |       24     operations, page-ops.ts
 *                 bytes: 8  4  how many           |
 *                       12  4  (reserved)         |
 *                       16     the bytes          |
 *
 * Source: docs/format/record.md; format.test.ts compares the tables with the constants.
 */
import {
  assert,
  CorruptionError,
  DataError,
  InvariantError,
  readSafe64,
  readU32,
  xxh32,
  xxh32Words,
} from '@sombra/vfs';

export const RECORD_HEADER_SIZE = 72;
export const REC_SALT = 0;
export const REC_LENGTH = REC_SALT + 8;
export const REC_KIND = REC_LENGTH + 4;
export const REC_LSN = REC_KIND + 4;
export const REC_TIME = REC_LSN + 8;
export const REC_PAGE_COUNT = REC_TIME + 8;
export const REC_DURABLE_SEQ = REC_PAGE_COUNT + 8;
export const REC_DURABLE_OFFSET = REC_DURABLE_SEQ + 8;
export const REC_NONCE = REC_DURABLE_OFFSET + 8;
export const REC_ENTRIES = REC_NONCE + 4;
export const REC_CHECKSUM = REC_ENTRIES + 4;
export const REC_CHAIN = REC_CHECKSUM + 4;
assert(REC_CHAIN + 4 === RECORD_HEADER_SIZE, 'record header of format 1');

/** A commit. */
export const RECORD_COMMIT = 1;

export const ENTRY_PAGE = 0;
export const ENTRY_KIND = ENTRY_PAGE + 4;
export const ENTRY_HEADER_SIZE = ENTRY_KIND + 4;
export const DELTA_BASE_LSN = ENTRY_HEADER_SIZE;
export const DELTA_LENGTH = DELTA_BASE_LSN + 8;
export const DELTA_OPERATIONS = DELTA_LENGTH + 4;
export const DELTA_HEADER_SIZE = DELTA_OPERATIONS + 4;
export const BYTES_LENGTH = ENTRY_HEADER_SIZE;
export const BYTES_RESERVED = BYTES_LENGTH + 4;
export const BYTES_HEADER_SIZE = BYTES_RESERVED + 4;
/** The entry holds a whole page. */
export const ENTRY_IMAGE = 1;
/** The entry holds the operations that lead from one version of a page to the next. */
export const ENTRY_DELTA = 2;
/** The entry holds bytes that mean nothing to the log; its page number is 0. Logs of databases have none. */
export const ENTRY_BYTES = 3;

const CHAIN_SEED = 0x53_57_43_00;
const RECORD_SEED = 0x53_57_52_00;
/** Largest record, bytes. */
export const RECORD_SIZE_MAX = 2 ** 31 - 8;

/** Memory that a builder keeps whatever its records need, bytes. */
const CAPACITY_KEPT = 1024 * 1024;
/** Records that must be small in a row before memory of a large one is given back. */
const SMALL_RECORDS = 16;

const link = new Uint32Array(3);
const linkBytes = new Uint8Array(link.buffer);

/** The next chain value. */
export function chainValue(previous: number, checksum: number, nonce: number): number {
  link[0] = previous;
  link[1] = checksum;
  link[2] = nonce;
  return xxh32(linkBytes, 0, 12, CHAIN_SEED);
}

/** Checksum of a record whose header begins at `at`. */
export function recordChecksum(bytes: Uint8Array, at: number, length: number): number {
  return xxh32(bytes, at + RECORD_HEADER_SIZE, at + length, xxh32(bytes, at, at + REC_CHECKSUM, RECORD_SEED));
}

/** Images that surely fit one record: a delta is never longer. */
export function recordPagesMax(pageSize: number): number {
  return Math.floor((RECORD_SIZE_MAX - RECORD_HEADER_SIZE) / (DELTA_HEADER_SIZE + pageSize));
}

/** What the log adds to a record when it is appended. */
export interface RecordSeal {
  readonly salt: Uint8Array;
  readonly durableSeq: number;
  readonly durableOffset: number;
  readonly nonce: number;
  /** Chain value of the record before. */
  readonly chain: number;
}

/**
 * Builds one record after the other in the same memory. Sequence of calls: `begin`, then per page `addImage`, or `beginDelta`,
 * `addOps` any number of times, `endDelta`; then `Wal.append`.
 */
export class RecordBuilder {
  /** The record; replaced when it grows. */
  bytes = new Uint8Array(16 * 1024);
  /** Bytes of the record so far. */
  length = 0;
  lsn = 0;
  /** ms; the log makes it later if the record before is. */
  time = 0;

  private words = new Uint32Array(this.bytes.buffer);
  private readonly pageSize: number;
  private entries = 0;
  private delta = -1;
  private operations = 0;
  /** Records in a row that needed little of the memory. */
  private smallRecords = 0;

  /** @param pageSize  bytes of an image */
  constructor(pageSize: number) {
    this.pageSize = pageSize;
  }

  /** Begins a record. @param time  ms @param pageCount  pages of the database after the commit */
  begin(kind: number, lsn: number, time: number, pageCount: number): void {
    this.shrink();
    this.length = RECORD_HEADER_SIZE;
    this.entries = 0;
    this.delta = -1;
    this.lsn = lsn;
    this.time = time;
    const { words } = this;
    words[REC_KIND >>> 2] = kind;
    this.number(REC_LSN, lsn);
    this.number(REC_PAGE_COUNT, pageCount);
  }

  /** Offset within the record at which the next entry begins. */
  entryOffset(): number {
    return this.length;
  }

  /** Checksum of the entry that begins at `start` and is the last one so far. @param seed  32 bits */
  entryChecksum(start: number, seed: number): number {
    return xxh32Words(this.words, start >>> 2, this.length >>> 2, seed);
  }

  /** Adds the whole page at `page[base]`. Copied. */
  addImage(pageNumber: number, page: Uint8Array, base: number): void {
    const at = this.entry(pageNumber, ENTRY_IMAGE, ENTRY_HEADER_SIZE + this.pageSize);
    this.bytes.set(page.subarray(base, base + this.pageSize), at + ENTRY_HEADER_SIZE);
  }

  /** Begins a delta on version `baseLsn` of a page. */
  beginDelta(pageNumber: number, baseLsn: number): void {
    this.delta = this.entry(pageNumber, ENTRY_DELTA, DELTA_HEADER_SIZE);
    this.operations = 0;
    this.number(this.delta + DELTA_BASE_LSN, baseLsn);
  }

  /** Adds encoded operations, bytes [from, to); `count` of them. Copied. */
  addOps(ops: Uint8Array, from: number, to: number, count: number): void {
    const at = this.length;
    this.reserve(at + to - from + 8);
    const { bytes } = this;
    if (to - from > 64) bytes.set(ops.subarray(from, to), at);
    else for (let i = from, put = at; i < to; i += 1, put += 1) bytes[put] = ops[i]!;
    this.length = at + to - from;
    this.operations += count;
  }

  /** Ends the delta. */
  endDelta(): void {
    const { delta, words } = this;
    if (delta < 0) throw new InvariantError('a delta was begun');
    words[(delta + DELTA_LENGTH) >>> 2] = this.length - delta - DELTA_HEADER_SIZE;
    words[(delta + DELTA_OPERATIONS) >>> 2] = this.operations;
    while ((this.length & 7) !== 0) this.bytes[this.length++] = 0;
    this.delta = -1;
  }

  /** Adds bytes that mean nothing to the log. Copied. @throws DataError SOMBRA_VALUE_TOO_LARGE */
  addBytes(payload: Uint8Array): void {
    const at = this.entry(0, ENTRY_BYTES, Math.ceil((BYTES_HEADER_SIZE + payload.length) / 8) * 8);
    this.words[(at + BYTES_LENGTH) >>> 2] = payload.length;
    this.words[(at + BYTES_RESERVED) >>> 2] = 0;
    this.bytes.set(payload, at + BYTES_HEADER_SIZE);
    this.bytes.fill(0, at + BYTES_HEADER_SIZE + payload.length, this.length);
  }

  /** Fills in what depends on the place in the log. @returns the record's chain value */
  seal(seal: RecordSeal): number {
    const { bytes, words, length } = this;
    if (this.delta >= 0) throw new InvariantError('every delta of a record was ended');
    bytes.set(seal.salt, REC_SALT);
    words[REC_LENGTH >>> 2] = length;
    this.number(REC_TIME, this.time);
    this.number(REC_DURABLE_SEQ, seal.durableSeq);
    this.number(REC_DURABLE_OFFSET, seal.durableOffset);
    words[REC_NONCE >>> 2] = seal.nonce;
    words[REC_ENTRIES >>> 2] = this.entries;
    const header = xxh32Words(words, 0, REC_CHECKSUM >>> 2, RECORD_SEED);
    const checksum = xxh32Words(words, RECORD_HEADER_SIZE >>> 2, length >>> 2, header);
    const chain = chainValue(seal.chain, checksum, seal.nonce);
    words[REC_CHECKSUM >>> 2] = checksum;
    words[REC_CHAIN >>> 2] = chain;
    return chain;
  }

  /** Gives memory back that one large record took, once many small ones followed. */
  private shrink(): void {
    if (this.bytes.length <= CAPACITY_KEPT) return;
    if (this.length > this.bytes.length / 4) this.smallRecords = 0;
    else this.smallRecords += 1;
    if (this.smallRecords < SMALL_RECORDS) return;
    this.smallRecords = 0;
    this.bytes = new Uint8Array(CAPACITY_KEPT);
    this.words = new Uint32Array(this.bytes.buffer);
  }

  private entry(pageNumber: number, kind: number, size: number): number {
    const at = this.length;
    this.reserve(at + size);
    this.words[(at + ENTRY_PAGE) >>> 2] = pageNumber;
    this.words[(at + ENTRY_KIND) >>> 2] = kind;
    this.length = at + size;
    this.entries += 1;
    return at;
  }

  private number(at: number, value: number): void {
    this.words[at >>> 2] = value >>> 0;
    this.words[(at >>> 2) + 1] = Math.floor(value / 0x1_0000_0000);
  }

  private reserve(size: number): void {
    if (size <= this.bytes.length) return;
    if (size > RECORD_SIZE_MAX) {
      throw new DataError(
        'SOMBRA_VALUE_TOO_LARGE',
        `a record of ${size} bytes or more exceeds the limit of ${RECORD_SIZE_MAX}: commit in smaller parts`,
        { details: { size, limit: RECORD_SIZE_MAX } },
      );
    }
    let capacity = this.bytes.length;
    while (capacity < size) capacity *= 2;
    const bytes = new Uint8Array(Math.min(capacity, RECORD_SIZE_MAX));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer);
  }
}

/**
 * Called for each entry of a record.
 * @param offset  where the entry begins in its segment
 * @param length  its bytes, padding included
 * @param bytes   holds the entry from `at` on; borrowed until the call returns
 */
export type EntryVisitor = (
  pageNumber: number,
  kind: number,
  offset: number,
  length: number,
  bytes: Uint8Array,
  at: number,
) => void;

/** An accepted record, as recovery shows it. The bytes are borrowed until the next one. */
export class RecordView {
  lsn = 0;
  /** ms */
  time = 0;
  pageCount = 0;
  seq = 0;
  /** Offsets in the segment. */
  offset = 0;
  end = 0;
  /** Chain value behind it. */
  chain = 0;
  nonce = 0;

  private bytes: Uint8Array = linkBytes;
  private at = 0;
  private readonly pageSize: number;

  constructor(pageSize: number) {
    this.pageSize = pageSize;
  }

  /** Shows the record at `bytes[at]`, whose checksum has been verified. */
  show(bytes: Uint8Array, at: number, seq: number, offset: number): void {
    this.bytes = bytes;
    this.at = at;
    this.seq = seq;
    this.offset = offset;
    this.end = offset + readU32(bytes, at + REC_LENGTH);
    this.lsn = readSafe64(bytes, at + REC_LSN);
    this.time = readSafe64(bytes, at + REC_TIME);
    this.pageCount = readSafe64(bytes, at + REC_PAGE_COUNT);
    this.nonce = readU32(bytes, at + REC_NONCE);
    this.chain = readU32(bytes, at + REC_CHAIN);
  }

  /**
   * Visits the entries in order.
   * @throws CorruptionError SOMBRA_WAL_RECORD when they do not fill the record
   */
  forEachEntry(visit: EntryVisitor): void {
    const { bytes, at } = this;
    const size = this.end - this.offset;
    let count = readU32(bytes, at + REC_ENTRIES);
    let place = RECORD_HEADER_SIZE;
    for (; count > 0; count -= 1) {
      const length = this.entryLength(place, size);
      const entry = at + place;
      visit(
        readU32(bytes, entry + ENTRY_PAGE),
        readU32(bytes, entry + ENTRY_KIND),
        this.offset + place,
        length,
        bytes,
        entry,
      );
      place += length;
    }
    if (place !== size) throw this.malformed(`${size - place} bytes follow its last entry`);
  }

  private entryLength(place: number, size: number): number {
    const { bytes } = this;
    const entry = this.at + place;
    const room = size - place;
    if (room < ENTRY_HEADER_SIZE) throw this.malformed('an entry does not fit');
    const kind = readU32(bytes, entry + ENTRY_KIND);
    let length: number;
    if (kind === ENTRY_IMAGE) length = ENTRY_HEADER_SIZE + this.pageSize;
    else if (kind === ENTRY_DELTA)
      length = DELTA_HEADER_SIZE + (room < DELTA_HEADER_SIZE ? 0 : readU32(bytes, entry + DELTA_LENGTH));
    else if (kind === ENTRY_BYTES)
      length = BYTES_HEADER_SIZE + (room < BYTES_HEADER_SIZE ? 0 : readU32(bytes, entry + BYTES_LENGTH));
    else throw this.malformed(`an entry has the unknown kind ${kind}`);
    if (length > room) throw this.malformed('an entry does not fit');
    return (length + 7) & ~7; // a record is a multiple of 8, so the padding fits as well
  }

  private malformed(what: string): CorruptionError {
    return new CorruptionError(
      'SOMBRA_WAL_RECORD',
      `commit ${this.lsn} in the log (segment ${this.seq}, offset ${this.offset}) is malformed: ${what}; restore a backup`,
      { details: { lsn: this.lsn, seq: this.seq, offset: this.offset } },
    );
  }
}
