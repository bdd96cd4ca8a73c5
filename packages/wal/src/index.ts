/** @sombra/wal: a durable, checksummed, ordered log. Start at `AppendLog`; databases build on `Wal`. */
export { APPEND_BYTES_MAX, AppendLog } from './append-log/append-log.ts';
export type { FollowSignal } from './append-log/append-log-followers.ts';
export type { AppendLogProblem, AppendLogStats, FollowOptions } from './append-log/append-log.ts';
export type { AppendLogHooks, AppendLogOptions, AppendSyncMode } from './append-log/append-log-options.ts';
export type { AppendedRecord } from './append-log/append-log-reader.ts';
export { applyOps, OP_FILL, OP_MOVE, OP_SET, OPS_FIRST_BYTE } from './record/page-ops.ts';
export {
  BYTES_HEADER_SIZE,
  DELTA_BASE_LSN,
  DELTA_HEADER_SIZE,
  ENTRY_BYTES,
  ENTRY_DELTA,
  ENTRY_HEADER_SIZE,
  ENTRY_IMAGE,
  RECORD_COMMIT,
  RECORD_HEADER_SIZE,
  RECORD_SIZE_MAX,
  RecordBuilder,
  recordPagesMax,
  RecordView,
} from './record/record.ts';
export type { EntryVisitor, RecordSeal } from './record/record.ts';
export type { StrangeSegment } from './segment/found-segments.ts';
export { LogFiles } from './log/log-files.ts';
export { LogStream } from './log/log-stream.ts';
export type { LogPlace } from './log/log-stream.ts';
export { openSegment } from './log/open-segment.ts';
export type { OpenSegment } from './log/open-segment.ts';
export { surveyLog } from './log/log-survey.ts';
export type { SurveyedSegment } from './log/log-survey.ts';
export type { Segment } from './log/log-files.ts';
export { recoverLog, setAside, setAsideSealed } from './log/recovery.ts';
export type { RecoveryResult } from './log/recovery.ts';
export type { RecoveryOptions, RecoveryStart } from './log/recovery-options.ts';
export { archivedThrough, archiveMarkPath, endArchive, markArchived } from './segment/archive-mark.ts';
export { livePath, sealedPath, SEGMENT_HEADER_SIZE, sparePath } from './segment/segment.ts';
export type { LogIdentity, PreviousSegment, SegmentHeader } from './segment/segment.ts';
export { inodeNumber, settleNames, settleRecords } from './log/succession.ts';
export type { AdoptedSegment, PublishedEnd } from './log/succession.ts';
export { Wal } from './log/wal.ts';
export type { WalState } from './log/wal.ts';
export type { LogPosition, LogTail } from './segment/log-position.ts';
export type { WalOptions, WalSyncMode } from './segment/wal-options.ts';
