/** @sombra/wal: a durable, checksummed, ordered log. Start at `AppendLog`; databases build on `Wal`. */
export { APPEND_BYTES_MAX, AppendLog } from './append-log.ts';
export type { FollowSignal } from './append-log-followers.ts';
export type { AppendLogProblem, AppendLogStats, FollowOptions } from './append-log.ts';
export type { AppendLogHooks, AppendLogOptions, AppendSyncMode } from './append-log-options.ts';
export type { AppendedRecord } from './append-log-reader.ts';
export { applyOps, OP_FILL, OP_MOVE, OP_SET, OPS_FIRST_BYTE } from './page-ops.ts';
export {
  BYTES_HEADER_SIZE,
  DELTA_HEADER_SIZE,
  ENTRY_BYTES,
  ENTRY_DELTA,
  ENTRY_HEADER_SIZE,
  ENTRY_IMAGE,
  RECORD_COMMIT,
  RECORD_HEADER_SIZE,
  RecordBuilder,
  RecordView,
} from './record.ts';
export type { EntryVisitor, RecordSeal } from './record.ts';
export type { StrangeSegment } from './found-segments.ts';
export { LogFiles } from './log-files.ts';
export { surveyLog } from './log-survey.ts';
export type { SurveyedSegment } from './log-survey.ts';
export type { Segment } from './log-files.ts';
export { recoverLog, setAside } from './recovery.ts';
export type { RecoveryOptions, RecoveryResult, RecoveryStart } from './recovery.ts';
export { archivedThrough, archiveMarkPath, endArchive, markArchived } from './archive-mark.ts';
export { livePath, sealedPath, SEGMENT_HEADER_SIZE, sparePath } from './segment.ts';
export type { LogIdentity, PreviousSegment, SegmentHeader } from './segment.ts';
export { inodeNumber, rewriteRecords, settleNames } from './succession.ts';
export type { AdoptedSegment, PublishedEnd } from './succession.ts';
export { Wal } from './wal.ts';
export type { LogPosition, LogTail, WalOptions, WalState, WalSyncMode } from './wal.ts';
