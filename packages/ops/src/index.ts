export type {
  ByteRange,
  CallOptions,
  ConditionalWrites,
  GetOptions,
  ObjectBody,
  ObjectEntry,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  StoredObject,
  SweepOptions,
} from './base/object-store.ts';
export type { ArchivePass } from './archive/archiver.ts';
export type { ArchiveEvent, ArchiverStats, RunningArchiver } from './archive/running-archiver.ts';
export type { ArchiveSource } from './archive/source.ts';
export type { PrunedLog } from './archive/prune-log.ts';
export type { VerifiedRange } from './archive/verify-log.ts';
export { LogArchive, openLogArchive } from './log-archive.ts';
export type {
  ArchivedTimeline,
  ArchiveOptions,
  PruneArchiveOptions,
  StartArchiveOptions,
  VerifyArchiveOptions,
} from './log-archive.ts';
export type { RestoreTarget } from './restore/log-plan.ts';
export { Backups, openBackups } from './backups.ts';
export type { BackupList, TestBackupOptions, VerifiedBackup, VerifyBackupsOptions } from './backups.ts';
export type { Unreadable } from './backup/catalogue.ts';
export type { BackupPart, BackupPosition, Manifest } from './backup/manifest.ts';
export type { BackupKind, Compression } from './backup/names.ts';
export type { PruneOptions, PruneResult } from './backup/prune.ts';
export type { BackupProgress, FullBecause, RunBackupOptions, RunBackupResult } from './backup/run.ts';
export type { BackupSource } from './backup/source.ts';
export type { RestoreOptions, RestoreProgress, RestoreResult } from './restore/restore.ts';
export type { TestResult } from './restore/test-restore.ts';
export { openObjectStore } from './store/open-object-store.ts';
export type { ObjectStoreOptions } from './store/open-object-store.ts';
export type { S3Options } from './store/s3-options.ts';
export type { UnenforcedConditions } from './store/unenforced.ts';
export { Examination, fileFindings, findingOf, locateDatabase, logSegments } from './repair/examination.ts';
export type { Finding } from './repair/examination.ts';
export type { DamageKind } from './repair/finding-kind.ts';
export { verifyDatabase } from './repair/verify.ts';
export type { DamageFinding, DatabaseReport, VerifyDatabaseOptions, VerifyDepth } from './repair/verify.ts';
export { salvageDatabase } from './repair/salvage.ts';
export type { IndexOutcome, SalvageOptions, SalvagePhase, SalvageProgress, SalvageReport } from './repair/salvage.ts';
export { vacuumDatabase, vacuumInto } from './repair/vacuum.ts';
export type { VacuumOptions, VacuumPhase, VacuumProgress, VacuumResult } from './repair/vacuum.ts';
export { rebuildIndexes } from './repair/rebuild-indexes.ts';
export type { RebuildOptions, RebuiltIndex } from './repair/rebuild-indexes.ts';
export {
  behindReader,
  CHECKPOINT_MODES,
  checkpointDatabase,
  completeCheckpoint,
  logOf,
  planCheckpoint,
} from './repair/checkpoint.ts';
export type {
  CheckpointDatabaseOptions,
  CheckpointMode,
  CheckpointReport,
  CheckpointWaiting,
} from './repair/checkpoint.ts';
export { inspectPage } from './repair/inspect-page.ts';
export type { InspectPageOptions, PageReport } from './repair/inspect-page.ts';
export { JobQueue, openJobQueue } from './jobs/job-queue.ts';
export type { JobEvent, JobQueueOptions, JobQueueStats } from './jobs/job-queue.ts';
export type { Job, JobContext, JobHandler, JobPayload } from './jobs/job.ts';
export { MirroredStore, openMirror } from './mirror/mirror.ts';
export type { MirrorOptions } from './mirror/mirror.ts';
