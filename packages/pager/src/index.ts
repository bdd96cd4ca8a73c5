export { BulkScratch } from './writing/bulk-scratch.ts';
export { BulkWriter } from './writing/bulk-writer.ts';
export { COUNTERS } from './format/catalogue.ts';
export type { CheckOptions, CheckStepsOptions, Problem } from './inspect/check.ts';
export type { CheckpointResult } from './checkpoint/checkpoint.ts';
export type { CheckpointEnd, CheckpointRequest } from './checkpoint/checkpoint-request.ts';
export { ChangesReader } from './copying/changes-reader.ts';
export type { ChangesHeader } from './format/changes.ts';
export type { CopyChanges } from './copying/copy-changes.ts';
export { CopyReader } from './copying/copy-reader.ts';
export type { PageVisitor } from './copying/copy-reader.ts';
export type { CommitPosition, DatabaseCopy } from './copying/database-copy.ts';
export { createEmptyCopy } from './copying/empty-copy.ts';
export { replaceDatabase } from './copying/replace.ts';
export type { ReplacedCommit } from './copying/replace.ts';
export type { LogEnd, LogEndOptions } from './copying/log-end.ts';
export { LogReplay, needsPlacedPages } from './copying/log-replay.ts';
export type { ReplayedCommit } from './copying/log-replay.ts';
export { PlacedReader } from './copying/placed-reader.ts';
export { placedPath } from './format/placed-pages.ts';
export type { PlacedHeader } from './format/placed-pages.ts';
export { placedCommits } from './files/placed-files.ts';
export { CopyRestore } from './copying/restore-copy.ts';
export type { RestoredCopy } from './copying/restore-copy.ts';
export { checkNewFile, writeCopy } from './copying/write-copy.ts';
export type { CopyProgress } from './copying/write-copy.ts';
export { readFileHeader } from './inspect/file-header.ts';
export type { FileHeader, HeaderSlot } from './inspect/file-header.ts';
export type { Locking, PagerHooks, PagerOptions, PagerWarning, SyncMode } from './base/options.ts';
export { DEFAULT_PAGE_SIZE, PAGE_SIZE_MAX, PAGE_SIZE_MIN } from './base/options.ts';
export type { PageCache } from './pages/page-cache.ts';
export {
  AUX_OFFSET,
  FLAGS_OFFSET,
  KIND_OFFSET,
  PAGE_HEADER_SIZE,
  PAGE_KIND_FIRST_FREE,
  PAGE_KIND_FREELIST,
  PAGE_KIND_ROOTS,
  TREE_ID_OFFSET,
} from './format/page-header.ts';
export { removeLockFile } from './sharing/lock-file.ts';
export type { LockFileOwner } from './sharing/lock-file.ts';
export { CommitPages, FilePages } from './inspect/page-source.ts';
export type { FreePageFindings } from './inspect/page-source.ts';
export { lookAtPage } from './inspect/page-look.ts';
export type { PageLook } from './inspect/page-look.ts';
export { scanPages } from './inspect/page-scan.ts';
export type { PageScan } from './inspect/page-scan.ts';
export { Pager } from './pager.ts';
export { rootsPage, TREE_NAME_MAX } from './format/roots-page.ts';
export type { ReaderMark } from './sharing/shm.ts';
export type { ConnectionFigures } from './sharing/figures.ts';
export type { OtherConnections } from './sharing/told-figures.ts';
export type { PagerLatencies, PagerStats, PagerVitals } from './base/stats.ts';
export type { Superblock } from './format/superblock.ts';
export { WriteTransaction } from './writing/transaction.ts';
export type { TransactionState } from './writing/transaction.ts';
export type { TreeEntry } from './reading/view.ts';
export { View } from './reading/view.ts';
