/**
 * Segment header: the first 512 bytes of a file of the log (rule F3), one sector, so that it is written whole or not at all.
 *
 *   offset  size  field
 *        0     8  magic 'SOMBRAWL'
 *        8     4  version
 *       12     4  page size
 *       16    16  database id
 *       32     4  timeline
 *       36     4  (reserved)
 *       40     8  seq: number of the segment
 *       48     8  salt: random, stands at the start of every record
 *       56     8  base lsn: last commit before the segment
 *       64     8  salt of the segment before
 *       72     8  offset at which the segment before ends
 *       80     4  chain value there
 *       84     4  (reserved)
 *       88     8  time of creation, ms
 *       96   412  (reserved)
 *      508     4  checksum of bytes [0, 508)
 *
 * Source: docs/format/segment.md; format.test.ts compares both tables with the constants.
 */
import { assert, readSafe64, readU32, sameBytes, writeU32, writeU64, xxh32 } from '@sombra/vfs';
import { chainValue } from '../record/record.ts';

export const SEGMENT_HEADER_SIZE = 512;
export const SEG_MAGIC = 0;
export const SEG_VERSION = SEG_MAGIC + 8;
export const SEG_PAGE_SIZE = SEG_VERSION + 4;
export const SEG_DATABASE_ID = SEG_PAGE_SIZE + 4;
export const SEG_TIMELINE = SEG_DATABASE_ID + 16;
export const SEG_RESERVED = SEG_TIMELINE + 4;
export const SEG_SEQ = SEG_RESERVED + 4;
export const SEG_SALT = SEG_SEQ + 8;
export const SEG_BASE_LSN = SEG_SALT + 8;
export const SEG_PREVIOUS_SALT = SEG_BASE_LSN + 8;
export const SEG_PREVIOUS_END = SEG_PREVIOUS_SALT + 8;
export const SEG_PREVIOUS_CHAIN = SEG_PREVIOUS_END + 8;
export const SEG_RESERVED_2 = SEG_PREVIOUS_CHAIN + 4;
export const SEG_TIME = SEG_RESERVED_2 + 4;
export const SEG_RESERVED_3 = SEG_TIME + 8;
export const SEG_CHECKSUM = SEGMENT_HEADER_SIZE - 4;
assert(SEG_RESERVED_3 === 96, 'segment header of format 1');

export const SEGMENT_VERSION = 1;
export const SALT_SIZE = 8;
const MAGIC = Uint8Array.from('SOMBRAWL', (letter) => letter.charCodeAt(0));
const CHECKSUM_SEED = 0x53_57_4c_00;

/** Which database a log belongs to. */
export interface LogIdentity {
  readonly pageSize: number;
  /** 16 bytes */
  readonly databaseId: Uint8Array;
  readonly timeline: number;
}

/** Where the segment before ends, and with what chain value. */
export interface PreviousSegment {
  /** 8 bytes */
  readonly salt: Uint8Array;
  /** offset */
  readonly end: number;
  readonly chain: number;
}

/** A segment header. */
export interface SegmentHeader extends LogIdentity {
  readonly seq: number;
  /** 8 bytes */
  readonly salt: Uint8Array;
  readonly baseLsn: number;
  readonly previous: PreviousSegment;
  /** ms */
  readonly time: number;
  /** Chain value before the first record: follows from the header, so records of another segment fail it. */
  readonly chain: number;
}

/** Encodes a header; its `chain` follows from the rest. */
export function encodeSegmentHeader(header: Omit<SegmentHeader, 'chain'>): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_SIZE);
  bytes.set(MAGIC, SEG_MAGIC);
  writeU32(bytes, SEG_VERSION, SEGMENT_VERSION);
  writeU32(bytes, SEG_PAGE_SIZE, header.pageSize);
  bytes.set(header.databaseId, SEG_DATABASE_ID);
  writeU32(bytes, SEG_TIMELINE, header.timeline);
  writeU64(bytes, SEG_SEQ, header.seq);
  bytes.set(header.salt, SEG_SALT);
  writeU64(bytes, SEG_BASE_LSN, header.baseLsn);
  bytes.set(header.previous.salt, SEG_PREVIOUS_SALT);
  writeU64(bytes, SEG_PREVIOUS_END, header.previous.end);
  writeU32(bytes, SEG_PREVIOUS_CHAIN, header.previous.chain);
  writeU64(bytes, SEG_TIME, header.time);
  writeU32(bytes, SEG_CHECKSUM, xxh32(bytes, 0, SEG_CHECKSUM, CHECKSUM_SEED));
  return bytes;
}

/** Reads a header from the first bytes of a file; undefined when they are none, or of another version. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_SIZE || !sameBytes(bytes, SEG_MAGIC, MAGIC, 0, MAGIC.length)) return undefined;
  const checksum = readU32(bytes, SEG_CHECKSUM);
  if (readU32(bytes, SEG_VERSION) !== SEGMENT_VERSION || checksum !== xxh32(bytes, 0, SEG_CHECKSUM, CHECKSUM_SEED))
    return undefined;
  const previousChain = readU32(bytes, SEG_PREVIOUS_CHAIN);
  const header: SegmentHeader = {
    pageSize: readU32(bytes, SEG_PAGE_SIZE),
    databaseId: bytes.slice(SEG_DATABASE_ID, SEG_DATABASE_ID + 16),
    timeline: readU32(bytes, SEG_TIMELINE),
    seq: readSafe64(bytes, SEG_SEQ),
    salt: bytes.slice(SEG_SALT, SEG_SALT + SALT_SIZE),
    baseLsn: readSafe64(bytes, SEG_BASE_LSN),
    previous: {
      salt: bytes.slice(SEG_PREVIOUS_SALT, SEG_PREVIOUS_SALT + SALT_SIZE),
      end: readSafe64(bytes, SEG_PREVIOUS_END),
      chain: previousChain,
    },
    time: readSafe64(bytes, SEG_TIME),
    chain: chainValue(previousChain, checksum, 0),
  };
  return header.seq < 1 || header.baseLsn < 0 || header.previous.end < 0 ? undefined : header;
}

/** Is this the header of a segment of a later format? Magic, version and checksum keep their places: a version that was damaged is none. */
export function isNewerSegment(bytes: Uint8Array): boolean {
  return (
    bytes.length >= SEGMENT_HEADER_SIZE &&
    sameBytes(bytes, SEG_MAGIC, MAGIC, 0, MAGIC.length) &&
    readU32(bytes, SEG_VERSION) > SEGMENT_VERSION &&
    readU32(bytes, SEG_CHECKSUM) === xxh32(bytes, 0, SEG_CHECKSUM, CHECKSUM_SEED)
  );
}

/** Do two headers, or a header and a database, name the same log? */
export function sameLog(a: LogIdentity, b: LogIdentity): boolean {
  return a.pageSize === b.pageSize && a.timeline === b.timeline && sameBytes(a.databaseId, 0, b.databaseId, 0, 16);
}

/** Does a segment go on where the one before ends? */
export function joins(header: SegmentHeader, salt: Uint8Array, end: number, chain: number): boolean {
  const { previous } = header;
  return previous.end === end && previous.chain === chain && sameBytes(previous.salt, 0, salt, 0, SALT_SIZE);
}

/** Name of the live segment. */
export function livePath(path: string): string {
  return `${path}-wal`;
}

/** Name of a sealed segment. */
export function sealedPath(path: string, seq: number): string {
  return `${path}-${seq}-wal`;
}

/** Name under which the next segment is prepared. It does not end like a segment, so that an archiver leaves it alone. */
export function sparePath(path: string): string {
  return `${path}-wal.spare`;
}

/**
 * The database whose segment could have the live name of this path: `graph-3-wal` is the live segment of `graph-3`, and segment 3
 * of `graph`. undefined when the path does not end like that.
 */
export function namesake(path: string): { readonly path: string; readonly seq: number } | undefined {
  const match = /^(.*[^/])-([1-9][0-9]{0,15})$/.exec(path);
  return match === null ? undefined : { path: match[1]!, seq: Number(match[2]) };
}

/** Number of a sealed segment from its file name, undefined when it is none of `base`. */
export function sealedSeq(base: string, name: string): number | undefined {
  if (!name.startsWith(`${base}-`)) return undefined;
  const match = /^([1-9][0-9]{0,15})-wal$/.exec(name.slice(base.length + 1));
  return match === null ? undefined : Number(match[1]);
}
