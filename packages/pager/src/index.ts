export { BulkScratch } from './bulk-scratch.ts';
export { BulkWriter } from './bulk-writer.ts';
export type { CheckOptions, Problem } from './check.ts';
export type { CheckpointResult } from './checkpoint.ts';
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
export { Pager } from './pager.ts';
export { rootsPage, TREE_NAME_MAX } from './roots-page.ts';
export type { PagerStats } from './stats.ts';
export { WriteTransaction } from './transaction.ts';
export type { TransactionState } from './transaction.ts';
export type { TreeEntry } from './view.ts';
export { View } from './view.ts';
