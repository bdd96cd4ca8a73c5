/**
 * Superblock: two slots in the first max(page size, 8192) bytes of main, 4096 bytes apart, never logged (rule F2).
 * Written in turn: the slot of sequence q is number q mod 2, so a torn write leaves the one before. Little-endian.
 * Source: docs/format/superblock.md; superblock.test.ts compares the tables.
 *
 *   offset  size  field
 *        0     8  magic 'SOMBRADB'
 *        8     4  format version
 *       12     4  page size
 *       16    16  database id
 *       32     4  timeline
 *       36     4  database salt      seeds the checksums of pages
 *       40     8  sequence
 *       48     8  checkpoint lsn     main holds every commit up to it
 *       56     8  page count         as of that commit
 *       64     8  replay segment     log position after that commit
 *       72     8  replay offset
 *       80     8  salt of that segment
 *       88     4  chain value there
 *       92     4  flags              1 clean, 2 forked
 *       96     8  time of this write, ms
 *      104   404  reserved, 0
 *      508     4  checksum of bytes [0, 508)
 */
import { CorruptionError, DataError, readSafe64, readU32, writeU32, writeU64, xxh32 } from '@sombra/vfs';
import { isPageSize } from '../base/options.ts';

export const SUPERBLOCK_SLOT_SIZE = 512;
export const SUPERBLOCK_SLOT_DISTANCE = 4096;
export const SUPERBLOCK_AREA_MIN = 2 * SUPERBLOCK_SLOT_DISTANCE;
export const FORMAT_VERSION = 1;
export const SUPERBLOCK_MAGIC = 'SOMBRADB';

export const SB_MAGIC = 0;
export const SB_VERSION = SB_MAGIC + 8;
export const SB_PAGE_SIZE = SB_VERSION + 4;
export const SB_DATABASE_ID = SB_PAGE_SIZE + 4;
export const SB_TIMELINE = SB_DATABASE_ID + 16;
export const SB_SALT = SB_TIMELINE + 4;
export const SB_SEQUENCE = SB_SALT + 4;
export const SB_LSN = SB_SEQUENCE + 8;
export const SB_PAGE_COUNT = SB_LSN + 8;
export const SB_REPLAY_SEQ = SB_PAGE_COUNT + 8;
export const SB_REPLAY_OFFSET = SB_REPLAY_SEQ + 8;
export const SB_LOG_SALT = SB_REPLAY_OFFSET + 8;
export const SB_CHAIN = SB_LOG_SALT + 8;
export const SB_FLAGS = SB_CHAIN + 4;
export const SB_TIME = SB_FLAGS + 4;
export const SB_RESERVED = SB_TIME + 8;
export const SB_CHECKSUM = SUPERBLOCK_SLOT_SIZE - 4;

const FLAG_CLEAN = 1;
const FLAG_FORKED = 2;
const CHECKSUM_SEED = 0x53_42_31_00;

/** One superblock slot. */
export interface Superblock {
  readonly pageSize: number;
  /** 16 bytes. */
  readonly databaseId: Uint8Array;
  readonly timeline: number;
  readonly salt: number;
  readonly sequence: number;
  readonly checkpointLsn: number;
  readonly pageCount: number;
  readonly replaySeq: number;
  readonly replayOffset: number;
  /** 8 bytes: salt of the segment of the replay position; zero while there was none. */
  readonly logSalt: Uint8Array;
  readonly chain: number;
  /** Closed properly: main is whole and no log is needed. */
  readonly clean: boolean;
  /** Commits of this timeline are being given up: the next open that is alone begins another one (rule P6). */
  readonly forked: boolean;
  readonly time: number;
}

/** Where the slot of a sequence lies in main. */
export function slotOffset(sequence: number): number {
  return (sequence % 2) * SUPERBLOCK_SLOT_DISTANCE;
}

/** Writes a slot into 512 bytes. */
export function encodeSuperblock(superblock: Superblock): Uint8Array {
  const bytes = new Uint8Array(SUPERBLOCK_SLOT_SIZE);
  for (let i = 0; i < SUPERBLOCK_MAGIC.length; i += 1) bytes[SB_MAGIC + i] = SUPERBLOCK_MAGIC.charCodeAt(i);
  writeU32(bytes, SB_VERSION, FORMAT_VERSION);
  writeU32(bytes, SB_PAGE_SIZE, superblock.pageSize);
  bytes.set(superblock.databaseId, SB_DATABASE_ID);
  writeU32(bytes, SB_TIMELINE, superblock.timeline);
  writeU32(bytes, SB_SALT, superblock.salt);
  writeU64(bytes, SB_SEQUENCE, superblock.sequence);
  writeU64(bytes, SB_LSN, superblock.checkpointLsn);
  writeU64(bytes, SB_PAGE_COUNT, superblock.pageCount);
  writeU64(bytes, SB_REPLAY_SEQ, superblock.replaySeq);
  writeU64(bytes, SB_REPLAY_OFFSET, superblock.replayOffset);
  bytes.set(superblock.logSalt, SB_LOG_SALT);
  writeU32(bytes, SB_CHAIN, superblock.chain);
  writeU32(bytes, SB_FLAGS, (superblock.clean ? FLAG_CLEAN : 0) | (superblock.forked ? FLAG_FORKED : 0));
  writeU64(bytes, SB_TIME, superblock.time);
  writeU32(bytes, SB_CHECKSUM, xxh32(bytes, 0, SB_CHECKSUM, CHECKSUM_SEED));
  return bytes;
}

function hasMagic(bytes: Uint8Array, at: number): boolean {
  if (at + SUPERBLOCK_SLOT_SIZE > bytes.length) return false;
  for (let i = 0; i < SUPERBLOCK_MAGIC.length; i += 1) {
    if (bytes[at + SB_MAGIC + i] !== SUPERBLOCK_MAGIC.charCodeAt(i)) return false;
  }
  return true;
}

/** Reads the slot at `at`; undefined when its bytes are no valid slot of this format. */
export function decodeSuperblock(bytes: Uint8Array, at: number): Superblock | undefined {
  if (!hasMagic(bytes, at)) return undefined;
  if (xxh32(bytes, at, at + SB_CHECKSUM, CHECKSUM_SEED) !== readU32(bytes, at + SB_CHECKSUM)) return undefined;
  if (readU32(bytes, at + SB_VERSION) !== FORMAT_VERSION) return undefined;
  const flags = readU32(bytes, at + SB_FLAGS);
  const superblock: Superblock = {
    pageSize: readU32(bytes, at + SB_PAGE_SIZE),
    databaseId: bytes.slice(at + SB_DATABASE_ID, at + SB_TIMELINE),
    timeline: readU32(bytes, at + SB_TIMELINE),
    salt: readU32(bytes, at + SB_SALT),
    sequence: readSafe64(bytes, at + SB_SEQUENCE),
    checkpointLsn: readSafe64(bytes, at + SB_LSN),
    pageCount: readSafe64(bytes, at + SB_PAGE_COUNT),
    replaySeq: readSafe64(bytes, at + SB_REPLAY_SEQ),
    replayOffset: readSafe64(bytes, at + SB_REPLAY_OFFSET),
    logSalt: bytes.slice(at + SB_LOG_SALT, at + SB_CHAIN),
    chain: readU32(bytes, at + SB_CHAIN),
    clean: (flags & FLAG_CLEAN) !== 0,
    forked: (flags & FLAG_FORKED) !== 0,
    time: readSafe64(bytes, at + SB_TIME),
  };
  const { sequence, checkpointLsn, pageCount, replaySeq, replayOffset, time } = superblock;
  if (!isPageSize(superblock.pageSize)) return undefined;
  if (Math.min(sequence, checkpointLsn, replaySeq, replayOffset, time) < 0) return undefined;
  if (pageCount < 2 || pageCount > 2 ** 31) return undefined;
  return superblock;
}

/** What the superblock area of a file holds. */
export interface SuperblockArea {
  readonly newest: Superblock;
  /** False when the other slot is neither valid nor, in a new file, still empty: a torn write, or damage. */
  readonly bothValid: boolean;
}

/**
 * Reads the superblock area.
 * @param bytes  the first 8192 bytes of main, or fewer if it is shorter
 * @param path   for messages
 * @throws DataError SOMBRA_NOT_A_DATABASE, SOMBRA_FORMAT_VERSION; CorruptionError SOMBRA_SUPERBLOCK
 */
export function readSuperblocks(bytes: Uint8Array, path: string): SuperblockArea {
  const found = [0, 1].map((slot) => decodeSuperblock(bytes, slot * SUPERBLOCK_SLOT_DISTANCE));
  const valid = found.filter((slot, at) => slot !== undefined && slot.sequence % 2 === at) as Superblock[];
  const newest = valid.reduce<Superblock | undefined>(
    (best, slot) => (best === undefined || slot.sequence > best.sequence ? slot : best),
    undefined,
  );
  const magic = [0, SUPERBLOCK_SLOT_DISTANCE].filter((at) => hasMagic(bytes, at));
  // A newer format keeps magic and version where they are; the newest slot decides, whatever else changed.
  const newer = magic
    .map((at) => readU32(bytes, at + SB_VERSION))
    .filter((version) => version > FORMAT_VERSION && version < 0x10000);
  if (newest === undefined) {
    if (newer.length > 0) {
      throw new DataError(
        'SOMBRA_FORMAT_VERSION',
        `${path} has format version ${Math.max(...newer)}, this release reads up to ${FORMAT_VERSION}: use a newer release`,
      );
    }
    if (magic.length > 0) {
      throw new CorruptionError('SOMBRA_SUPERBLOCK', `${path}: both superblock slots are damaged; restore a backup`);
    }
    const what = bytes.length === 0 ? 'is empty' : 'does not begin like a Sombra database';
    throw new DataError(
      'SOMBRA_NOT_A_DATABASE',
      `${path} ${what}: check the path${bytes.length === 0 ? ', or remove the file to create a database' : ''}`,
    );
  }
  if (valid.length === 2) {
    const [a, b] = valid as [Superblock, Superblock];
    const same =
      a.pageSize === b.pageSize && a.salt === b.salt && a.databaseId.every((byte, at) => byte === b.databaseId[at]);
    if (!same)
      throw new CorruptionError(
        'SOMBRA_SUPERBLOCK',
        `${path}: the superblock slots are of different databases; restore a backup`,
      );
  }
  const other = slotOffset(newest.sequence + 1);
  const otherEmpty = bytes.subarray(other, other + SUPERBLOCK_SLOT_SIZE).every((byte) => byte === 0);
  return { newest, bothValid: valid.length === 2 || (otherEmpty && newest.sequence === 0) };
}
