export { BulkScratch } from './bulk-scratch.ts';
export { BulkWriter } from './bulk-writer.ts';
export { COUNTERS } from './catalogue.ts';
export type { CheckOptions, Problem } from './check.ts';
export type { CheckpointResult } from './checkpoint.ts';
export { readFileHeader } from './file-header.ts';
export type { FileHeader, HeaderSlot } from './file-header.ts';
export type { Locking, PagerHooks, PagerOptions, PagerWarning, SyncMode } from './options.ts';
export { DEFAULT_PAGE_SIZE, PAGE_SIZE_MAX, PAGE_SIZE_MIN } from './options.ts';
export { PageCache } from './page-cache.ts';
export {
  AUX_OFFSET,
  CHECKSUM_OFFSET,
  FLAGS_OFFSET,
  KIND_OFFSET,
  LSN_OFFSET,
  PAGE_HEADER_SIZE,
  PAGE_KIND_FIRST_FREE,
  PAGE_KIND_FREELIST,
  PAGE_KIND_ROOTS,
  PAGE_NUMBER_OFFSET,
  TREE_ID_OFFSET,
} from './page-header.ts';
export { scanPages } from './page-scan.ts';
export type { PageScan } from './page-scan.ts';
export { Pager } from './pager.ts';
export { rootsPage, TREE_NAME_MAX } from './roots-page.ts';
export type { ReaderMark } from './shm.ts';
export type { PagerStats } from './stats.ts';
export type { Superblock } from './superblock.ts';
export { WriteTransaction } from './transaction.ts';
export type { TransactionState } from './transaction.ts';
export type { TreeEntry } from './view.ts';
export { View } from './view.ts';
