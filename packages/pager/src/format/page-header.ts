/**
 * Page header: the first 24 bytes of every page. Little-endian. Source: docs/format/page-header.md;
 * page-header.test.ts compares the tables.
 *
 *   offset  size  field
 *        0     4  checksum     xxh32 of bytes [4, page size), seeded with the database salt and the page number
 *        4     4  page number  exposes misdirected reads and writes
 *        8     8  lsn          last commit that wrote the page
 *       16     1  kind         1 roots, 2 freelist; 16 to 255 layers above
 *       17     1  flags        free for the owner of the kind
 *       18     2  tree id      catalogue slot + 1, 0 for pages of the pager
 *       20     4  aux          free for the owner of the kind
 *
 * In the cache and in the log the checksum field means nothing: it is computed when a page goes to main or to the
 * double-write area, and verified whenever it comes from there.
 */
import { CorruptionError, readSafe64, readU32, writeU32, writeU64, xxh32 } from '@sombra/vfs';

export const CHECKSUM_OFFSET = 0;
export const PAGE_NUMBER_OFFSET = CHECKSUM_OFFSET + 4;
export const LSN_OFFSET = PAGE_NUMBER_OFFSET + 4;
export const KIND_OFFSET = LSN_OFFSET + 8;
export const FLAGS_OFFSET = KIND_OFFSET + 1;
export const TREE_ID_OFFSET = FLAGS_OFFSET + 1;
export const AUX_OFFSET = TREE_ID_OFFSET + 2;
export const PAGE_HEADER_SIZE = AUX_OFFSET + 4;

export const PAGE_KIND_ROOTS = 1;
export const PAGE_KIND_FREELIST = 2;
/** Kinds from here on belong to layers above. */
export const PAGE_KIND_FIRST_FREE = 16;

/** Seed of a page's checksum: differs by database and by page number. */
export function pageSeed(salt: number, pageNumber: number): number {
  return (salt ^ Math.imul(pageNumber + 1, 0x9e3779b1)) >>> 0;
}

/** Checksum of the page at `base`. */
export function pageChecksum(
  bytes: Uint8Array,
  base: number,
  pageSize: number,
  pageNumber: number,
  salt: number,
): number {
  return xxh32(bytes, base + PAGE_NUMBER_OFFSET, base + pageSize, pageSeed(salt, pageNumber));
}

/** Writes page number and lsn; what else the page holds stays. */
export function stampHeader(bytes: Uint8Array, base: number, pageNumber: number, lsn: number): void {
  writeU32(bytes, base + CHECKSUM_OFFSET, 0);
  writeU32(bytes, base + PAGE_NUMBER_OFFSET, pageNumber);
  writeU64(bytes, base + LSN_OFFSET, lsn);
}

/** Writes the lsn only. */
export function stampLsn(bytes: Uint8Array, base: number, lsn: number): void {
  writeU64(bytes, base + LSN_OFFSET, lsn);
}

/** Computes and writes the checksum: the page is ready for main or the double-write area. Returns it. */
export function sealPage(bytes: Uint8Array, base: number, pageSize: number, pageNumber: number, salt: number): number {
  const checksum = pageChecksum(bytes, base, pageSize, pageNumber, salt);
  writeU32(bytes, base + CHECKSUM_OFFSET, checksum);
  return checksum;
}

/**
 * Checks a page as it was read from main or the double-write area (rule F1).
 * @param limit  newest lsn that it may carry
 * @returns its lsn
 * @throws CorruptionError SOMBRA_PAGE_CHECKSUM, SOMBRA_PAGE_MISDIRECTED, SOMBRA_PAGE_LSN
 */
export function verifyPage(
  bytes: Uint8Array,
  base: number,
  pageSize: number,
  pageNumber: number,
  salt: number,
  limit: number,
): number {
  const expected = readU32(bytes, base + CHECKSUM_OFFSET);
  const found = pageChecksum(bytes, base, pageSize, pageNumber, salt);
  const number = readU32(bytes, base + PAGE_NUMBER_OFFSET);
  if (found !== expected) {
    if (number !== pageNumber && pageChecksum(bytes, base, pageSize, number, salt) === expected) {
      throw new CorruptionError(
        'SOMBRA_PAGE_MISDIRECTED',
        `page ${pageNumber} holds page ${number}: a write went to the wrong place; restore a backup`,
        {
          details: { pageNumber, found: number },
        },
      );
    }
    throw new CorruptionError(
      'SOMBRA_PAGE_CHECKSUM',
      `page ${pageNumber} is damaged: its checksum is ${found}, stored is ${expected}; restore a backup`,
      {
        details: { pageNumber, expected, found },
      },
    );
  }
  if (number !== pageNumber) {
    throw new CorruptionError('SOMBRA_PAGE_MISDIRECTED', `page ${pageNumber} holds page ${number}; restore a backup`, {
      details: { pageNumber, found: number },
    });
  }
  const lsn = readSafe64(bytes, base + LSN_OFFSET);
  if (lsn < 0 || lsn > limit) {
    throw new CorruptionError(
      'SOMBRA_PAGE_LSN',
      `page ${pageNumber} is of commit ${lsn}, newer than commit ${limit} that is being read: the file was copied while it was written, or its log was removed; restore a backup`,
      { details: { pageNumber, found: lsn, limit } },
    );
  }
  return lsn;
}
