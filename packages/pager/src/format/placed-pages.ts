/**
 * Placed pages: the file `<main>-<lsn>-pages` holds what the bulk load of a commit wrote to main past the log, while there is an archive of
 * the log (rule P5): the record of that commit names pages and does not hold them. Little-endian. Source: docs/format/placed-pages.md;
 * format.test.ts compares the tables.
 *
 *   offset  size  field
 *        0     8  magic 'SOMBRAPP'
 *        8     4  format version
 *       12     4  page size
 *       16    16  database id
 *       32     4  timeline
 *       36     4  salt               seeds the checksums of the pages, as in the superblock
 *       40     8  lsn                of the commit
 *       48     8  first page         pages of the database before the load
 *       56     8  page count         after it
 *       64     8  pages              how many follow; one may be there more than once, and the last one counts
 *       72   436  reserved, 0
 *      508     4  checksum of bytes [0, 508)
 * The pages follow as they stand in main.
 */
import { readSafe64, readU32, sameBytes, writeU32, writeU64, xxh32 } from '@sombra/vfs';
import { FORMAT_VERSION } from './superblock.ts';

export const PLACED_HEADER_SIZE = 512;
export const PLACED_MAGIC = 0;
export const PLACED_VERSION = PLACED_MAGIC + 8;
export const PLACED_PAGE_SIZE = PLACED_VERSION + 4;
export const PLACED_DATABASE_ID = PLACED_PAGE_SIZE + 4;
export const PLACED_TIMELINE = PLACED_DATABASE_ID + 16;
export const PLACED_SALT = PLACED_TIMELINE + 4;
export const PLACED_LSN = PLACED_SALT + 4;
export const PLACED_FIRST_PAGE = PLACED_LSN + 8;
export const PLACED_PAGE_COUNT = PLACED_FIRST_PAGE + 8;
export const PLACED_PAGES = PLACED_PAGE_COUNT + 8;
export const PLACED_RESERVED = PLACED_PAGES + 8;
export const PLACED_CHECKSUM = PLACED_HEADER_SIZE - 4;
const MAGIC = Uint8Array.from('SOMBRAPP', (letter) => letter.charCodeAt(0));
const CHECKSUM_SEED = 0x53_50_50_00;

/** What placed pages belong to. */
export interface PlacedHeader {
  readonly pageSize: number;
  /** 16 bytes */
  readonly databaseId: Uint8Array;
  readonly timeline: number;
  /** Seeds the checksums of the pages. */
  readonly salt: number;
  /** Of the commit that publishes them. */
  readonly lsn: number;
  /** Pages of the database before the load. */
  readonly firstPage: number;
  /** And after it. */
  readonly pageCount: number;
  /** How many follow. */
  readonly pages: number;
}

/** Path of the pages that the bulk load of commit `lsn` placed. @param path  of the database */
export function placedPath(path: string, lsn: number): string {
  return `${path}-${lsn}-pages`;
}

/** The commit whose placed pages a file holds, by its name; undefined when it is none of `base`. */
export function placedLsn(base: string, name: string): number | undefined {
  if (!name.startsWith(`${base}-`)) return undefined;
  const match = /^([1-9][0-9]{0,15})-pages$/.exec(name.slice(base.length + 1));
  return match === null ? undefined : Number(match[1]);
}

export function encodePlacedHeader(header: PlacedHeader): Uint8Array {
  const bytes = new Uint8Array(PLACED_HEADER_SIZE);
  bytes.set(MAGIC, PLACED_MAGIC);
  writeU32(bytes, PLACED_VERSION, FORMAT_VERSION);
  writeU32(bytes, PLACED_PAGE_SIZE, header.pageSize);
  bytes.set(header.databaseId, PLACED_DATABASE_ID);
  writeU32(bytes, PLACED_TIMELINE, header.timeline);
  writeU32(bytes, PLACED_SALT, header.salt);
  writeU64(bytes, PLACED_LSN, header.lsn);
  writeU64(bytes, PLACED_FIRST_PAGE, header.firstPage);
  writeU64(bytes, PLACED_PAGE_COUNT, header.pageCount);
  writeU64(bytes, PLACED_PAGES, header.pages);
  writeU32(bytes, PLACED_CHECKSUM, xxh32(bytes, 0, PLACED_CHECKSUM, CHECKSUM_SEED));
  return bytes;
}

/** Reads a header from the first bytes of a file; undefined when they are none, or of another version. */
export function decodePlacedHeader(bytes: Uint8Array): PlacedHeader | undefined {
  if (bytes.length < PLACED_HEADER_SIZE || !sameBytes(bytes, PLACED_MAGIC, MAGIC, 0, MAGIC.length)) return undefined;
  if (readU32(bytes, PLACED_VERSION) !== FORMAT_VERSION) return undefined;
  if (readU32(bytes, PLACED_CHECKSUM) !== xxh32(bytes, 0, PLACED_CHECKSUM, CHECKSUM_SEED)) return undefined;
  return {
    pageSize: readU32(bytes, PLACED_PAGE_SIZE),
    databaseId: bytes.slice(PLACED_DATABASE_ID, PLACED_DATABASE_ID + 16),
    timeline: readU32(bytes, PLACED_TIMELINE),
    salt: readU32(bytes, PLACED_SALT),
    lsn: readSafe64(bytes, PLACED_LSN),
    firstPage: readSafe64(bytes, PLACED_FIRST_PAGE),
    pageCount: readSafe64(bytes, PLACED_PAGE_COUNT),
    pages: readSafe64(bytes, PLACED_PAGES),
  };
}
