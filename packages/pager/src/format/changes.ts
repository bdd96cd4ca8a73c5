/**
 * Changes: what brings a copy of a database to a later commit. A header, a superblock slot as the later copy has it, then the pages that were
 * written after the earlier commit, in ascending order, each with its own number. How many there are, whoever stores them knows. Little-endian.
 * Source: docs/format/backup.md; format.test.ts compares the tables.
 *
 *   offset  size  field
 *        0     8  magic 'SOMBRACH'
 *        8     4  format version
 *       12     4  page size
 *       16    16  database id
 *       32     8  since                lsn of the earlier commit: pages of later ones follow
 *       40   468  reserved, 0
 *      508     4  checksum of bytes [0, 508)
 *      512   512  superblock slot      of the later commit
 *     1024        first page
 */
import { CorruptionError, DataError, readSafe64, readU32, sameBytes, writeU32, writeU64, xxh32 } from '@sombra/vfs';
import { decodeSuperblock, FORMAT_VERSION, SUPERBLOCK_SLOT_SIZE } from './superblock.ts';
import type { Superblock } from './superblock.ts';

export const CHANGES_MAGIC_TEXT = 'SOMBRACH';
export const CH_MAGIC = 0;
export const CH_VERSION = CH_MAGIC + 8;
export const CH_PAGE_SIZE = CH_VERSION + 4;
export const CH_DATABASE_ID = CH_PAGE_SIZE + 4;
export const CH_SINCE = CH_DATABASE_ID + 16;
export const CH_RESERVED = CH_SINCE + 8;
export const CH_CHECKSUM = 512 - 4;
export const CH_SUPERBLOCK = CH_CHECKSUM + 4;
export const CHANGES_HEADER_SIZE = CH_SUPERBLOCK + SUPERBLOCK_SLOT_SIZE;

const CHECKSUM_SEED = 0x53_43_48_00;

/** What changes begin with. */
export interface ChangesHeader {
  /** Number of the earlier commit. */
  readonly since: number;
  readonly superblock: Superblock;
}

/** @param slot  512 bytes, of the later commit */
export function encodeChangesHeader(
  slot: Uint8Array,
  since: number,
  pageSize: number,
  databaseId: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(CHANGES_HEADER_SIZE);
  for (let i = 0; i < CHANGES_MAGIC_TEXT.length; i += 1) bytes[CH_MAGIC + i] = CHANGES_MAGIC_TEXT.charCodeAt(i);
  writeU32(bytes, CH_VERSION, FORMAT_VERSION);
  writeU32(bytes, CH_PAGE_SIZE, pageSize);
  bytes.set(databaseId, CH_DATABASE_ID);
  writeU64(bytes, CH_SINCE, since);
  writeU32(bytes, CH_CHECKSUM, xxh32(bytes, 0, CH_CHECKSUM, CHECKSUM_SEED));
  bytes.set(slot, CH_SUPERBLOCK);
  return bytes;
}

/**
 * @param name  of what is read, for messages
 * @throws DataError SOMBRA_FORMAT_VERSION; CorruptionError SOMBRA_COPY_INCOMPLETE
 */
export function decodeChangesHeader(bytes: Uint8Array, at: number, name: string): ChangesHeader {
  const wrong = (): CorruptionError =>
    new CorruptionError(
      'SOMBRA_COPY_INCOMPLETE',
      `${name} does not begin as changes of a database do: use another backup`,
    );
  for (let i = 0; i < CHANGES_MAGIC_TEXT.length; i += 1) {
    if (bytes[at + CH_MAGIC + i] !== CHANGES_MAGIC_TEXT.charCodeAt(i)) throw wrong();
  }
  if (xxh32(bytes, at, at + CH_CHECKSUM, CHECKSUM_SEED) !== readU32(bytes, at + CH_CHECKSUM)) throw wrong();
  const version = readU32(bytes, at + CH_VERSION);
  if (version > FORMAT_VERSION)
    throw new DataError(
      'SOMBRA_FORMAT_VERSION',
      `${name} has format version ${version}, this release reads up to ${FORMAT_VERSION}: use a newer release`,
    );
  const superblock = decodeSuperblock(bytes, at + CH_SUPERBLOCK);
  const since = readSafe64(bytes, at + CH_SINCE);
  if (version !== FORMAT_VERSION || superblock === undefined || !superblock.clean) throw wrong();
  if (since < 0 || since > superblock.checkpointLsn) throw wrong();
  if (readU32(bytes, at + CH_PAGE_SIZE) !== superblock.pageSize) throw wrong();
  if (!sameBytes(bytes, at + CH_DATABASE_ID, superblock.databaseId, 0, 16)) throw wrong();
  return { since, superblock };
}
