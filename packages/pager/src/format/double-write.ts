/**
 * Double-write area: the file `<main>-dw` holds the pages of a checkpoint's batch, synced before main is touched, so that a
 * torn page of main can be repaired (rule K2). Little-endian. Source: docs/format/double-write.md;
 * double-write.test.ts compares the tables.
 *
 *   offset  size  field
 *        0     8  magic 'SOMBRADW'
 *        8     4  format version
 *       12     4  page size
 *       16    16  database id
 *       32     8  superblock sequence   the batch counts only while main's newest slot has this one
 *       40     8  bound                 lsn up to which the images go
 *       48     8  page count            of the database at the bound
 *       56     4  flags                 1 whole: all pages of the checkpoint are here, no log is needed to finish it
 *       60     4  count                 of images
 *       64     4  checksum of bytes [0, 64) and of the entries
 *       68     4  reserved, 0
 *       72     8  first entry           page number, checksum of its image; `count` of them
 * The images follow in the same order, from the next multiple of 4096 on.
 *
 * The batch is valid only as a whole: header and entries by their checksum, each image by that of its entry. A torn write
 * of the area is therefore as good as none, and then main has not been touched.
 */
import { preadFully, pwriteFully, readSafe64, readU32, writeU32, writeU64, xxh32 } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import { pageChecksum } from './page-header.ts';
import { rootsPage } from './roots-page.ts';
import { FORMAT_VERSION } from './superblock.ts';

export const DW_MAGIC_TEXT = 'SOMBRADW';
export const DW_MAGIC = 0;
export const DW_VERSION = DW_MAGIC + 8;
export const DW_PAGE_SIZE = DW_VERSION + 4;
export const DW_DATABASE_ID = DW_PAGE_SIZE + 4;
export const DW_SEQUENCE = DW_DATABASE_ID + 16;
export const DW_BOUND = DW_SEQUENCE + 8;
export const DW_PAGE_COUNT = DW_BOUND + 8;
export const DW_FLAGS = DW_PAGE_COUNT + 8;
export const DW_COUNT = DW_FLAGS + 4;
export const DW_CHECKSUM = DW_COUNT + 4;
export const DW_RESERVED = DW_CHECKSUM + 4;
export const DW_ENTRIES = DW_RESERVED + 4;
export const DW_ENTRY_SIZE = 8;
const DW_ALIGNMENT = 4096;
const FLAG_WHOLE = 1;
const CHECKSUM_SEED = 0x53_44_57_00;
/** Bytes read or written at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** A batch of images. */
export interface DoubleWriteBatch {
  readonly sequence: number;
  readonly bound: number;
  readonly pageCount: number;
  readonly whole: boolean;
  /** Page numbers, ascending. */
  readonly pages: Uint32Array;
  /** Checksum of each image, as in its page header. */
  readonly checksums: Uint32Array;
}

/** What a batch must belong to. */
export interface DoubleWriteIdentity {
  readonly pageSize: number;
  readonly databaseId: Uint8Array;
  readonly salt: number;
}

/** Name of the double-write file. */
export function doubleWritePath(path: string): string {
  return `${path}-dw`;
}

/** Where the images of a batch begin in the file. */
export function imagesOffset(count: number): number {
  return Math.ceil((DW_ENTRIES + count * DW_ENTRY_SIZE) / DW_ALIGNMENT) * DW_ALIGNMENT;
}

/** Header and entries of a batch, padded to where the images begin. */
export function encodeDoubleWrite(batch: DoubleWriteBatch, identity: DoubleWriteIdentity): Uint8Array {
  const { pages, checksums } = batch;
  const bytes = new Uint8Array(imagesOffset(pages.length));
  for (let i = 0; i < DW_MAGIC_TEXT.length; i += 1) bytes[DW_MAGIC + i] = DW_MAGIC_TEXT.charCodeAt(i);
  writeU32(bytes, DW_VERSION, FORMAT_VERSION);
  writeU32(bytes, DW_PAGE_SIZE, identity.pageSize);
  bytes.set(identity.databaseId, DW_DATABASE_ID);
  writeU64(bytes, DW_SEQUENCE, batch.sequence);
  writeU64(bytes, DW_BOUND, batch.bound);
  writeU64(bytes, DW_PAGE_COUNT, batch.pageCount);
  writeU32(bytes, DW_FLAGS, batch.whole ? FLAG_WHOLE : 0);
  writeU32(bytes, DW_COUNT, pages.length);
  for (let i = 0; i < pages.length; i += 1) {
    writeU32(bytes, DW_ENTRIES + i * DW_ENTRY_SIZE, pages[i]!);
    writeU32(bytes, DW_ENTRIES + i * DW_ENTRY_SIZE + 4, checksums[i]!);
  }
  writeU32(bytes, DW_CHECKSUM, headerChecksum(bytes, pages.length));
  return bytes;
}

function headerChecksum(bytes: Uint8Array, count: number): number {
  return xxh32(bytes, DW_ENTRIES, DW_ENTRIES + count * DW_ENTRY_SIZE, xxh32(bytes, 0, DW_CHECKSUM, CHECKSUM_SEED));
}

/**
 * Reads the batch in a double-write file and checks every image.
 * @returns undefined when the file holds no whole batch of this database
 * @throws IoError SOMBRA_IO
 */
export function readDoubleWrite(
  file: VfsFile,
  identity: DoubleWriteIdentity,
  sequence?: number,
): DoubleWriteBatch | undefined {
  const { size } = file.stat();
  const fixed = new Uint8Array(DW_ENTRIES);
  if (preadFully(file, fixed, 0) < DW_ENTRIES) return undefined;
  for (let i = 0; i < DW_MAGIC_TEXT.length; i += 1)
    if (fixed[DW_MAGIC + i] !== DW_MAGIC_TEXT.charCodeAt(i)) return undefined;
  if (readU32(fixed, DW_VERSION) !== FORMAT_VERSION || readU32(fixed, DW_PAGE_SIZE) !== identity.pageSize)
    return undefined;
  for (let i = 0; i < 16; i += 1) if (fixed[DW_DATABASE_ID + i] !== identity.databaseId[i]) return undefined;
  if (sequence !== undefined && readSafe64(fixed, DW_SEQUENCE) !== sequence) return undefined;
  const count = readU32(fixed, DW_COUNT);
  if (count * identity.pageSize > size) return undefined; // checked before anything is allocated
  const header = new Uint8Array(DW_ENTRIES + count * DW_ENTRY_SIZE);
  if (preadFully(file, header, 0) < header.length) return undefined;
  if (headerChecksum(header, count) !== readU32(header, DW_CHECKSUM)) return undefined;
  const pages = new Uint32Array(count);
  const checksums = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) {
    pages[i] = readU32(header, DW_ENTRIES + i * DW_ENTRY_SIZE);
    checksums[i] = readU32(header, DW_ENTRIES + i * DW_ENTRY_SIZE + 4);
    if (i > 0 && pages[i]! <= pages[i - 1]!) return undefined;
  }
  const batch: DoubleWriteBatch = {
    sequence: readSafe64(header, DW_SEQUENCE),
    bound: readSafe64(header, DW_BOUND),
    pageCount: readSafe64(header, DW_PAGE_COUNT),
    whole: (readU32(header, DW_FLAGS) & FLAG_WHOLE) !== 0,
    pages,
    checksums,
  };
  if (batch.sequence < 0 || batch.bound < 0 || batch.pageCount < 0) return undefined;
  if (count > 0 && (pages[0]! < rootsPage(identity.pageSize) || pages[count - 1]! >= batch.pageCount)) return undefined;
  const whole = forEachChunk(file, batch, identity.pageSize, (bytes, first, images) => {
    for (let i = 0; i < images; i += 1) {
      const at = i * identity.pageSize;
      const expected = checksums[first + i]!;
      if (readU32(bytes, at) !== expected) return false;
      if (pageChecksum(bytes, at, identity.pageSize, pages[first + i]!, identity.salt) !== expected) return false;
    }
    return true;
  });
  return whole ? batch : undefined;
}

/** Calls `visit` with the images in chunks, in order, until it returns false. False also when the file is too short. */
function forEachChunk(
  file: VfsFile,
  batch: DoubleWriteBatch,
  pageSize: number,
  visit: (bytes: Uint8Array, first: number, images: number) => boolean,
): boolean {
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / pageSize));
  const buffer = new Uint8Array(Math.min(perChunk, batch.pages.length) * pageSize);
  const from = imagesOffset(batch.pages.length);
  for (let first = 0; first < batch.pages.length; first += perChunk) {
    const images = Math.min(perChunk, batch.pages.length - first);
    const bytes = buffer.subarray(0, images * pageSize);
    if (preadFully(file, bytes, from + first * pageSize) < bytes.length) return false;
    if (!visit(bytes, first, images)) return false;
  }
  return true;
}

/** Writes a valid batch again, same bytes, same place: then a sync writes what perhaps only the page cache holds. */
export function rewriteDoubleWrite(file: VfsFile, batch: DoubleWriteBatch, identity: DoubleWriteIdentity): void {
  pwriteFully(file, encodeDoubleWrite(batch, identity), 0);
  const from = imagesOffset(batch.pages.length);
  forEachChunk(file, batch, identity.pageSize, (bytes, first) => {
    pwriteFully(file, bytes, from + first * identity.pageSize);
    return true;
  });
}

/** Writes the pages of a valid batch to main. */
export function restoreFromDoubleWrite(file: VfsFile, batch: DoubleWriteBatch, pageSize: number, main: VfsFile): void {
  forEachChunk(file, batch, pageSize, (bytes, first, images) => {
    writeRuns(main, bytes, batch.pages, first, images, pageSize);
    return true;
  });
}

/** Writes `images` pages that lie one behind the other in `bytes` to their places in main, neighbours in one write. */
export function writeRuns(
  main: VfsFile,
  bytes: Uint8Array,
  pages: Uint32Array,
  first: number,
  images: number,
  pageSize: number,
): void {
  let from = 0;
  for (let i = 1; i <= images; i += 1) {
    if (i < images && pages[first + i] === pages[first + i - 1]! + 1) continue;
    pwriteFully(main, bytes.subarray(from * pageSize, i * pageSize), pages[first + from]! * pageSize);
    from = i;
  }
}

/** Reads one image of a batch; false when the page is not in it. */
export function readDoubleWriteImage(
  file: VfsFile,
  batch: DoubleWriteBatch,
  pageNumber: number,
  pageSize: number,
  into: Uint8Array,
  at: number,
): boolean {
  const index = batch.pages.indexOf(pageNumber);
  if (index < 0) return false;
  return (
    preadFully(file, into.subarray(at, at + pageSize), imagesOffset(batch.pages.length) + index * pageSize) === pageSize
  );
}
