/** Where recovery begins, and what it does about damage. */
import type { LogPosition } from '../segment/log-position.ts';

/** What a checkpoint says about the log. */
export interface RecoveryStart {
  /** Where replay begins. */
  readonly position: LogPosition;
  /** Salt of the segment of `position`; zeros when the database never had a log. */
  readonly salt: Uint8Array;
  /** Chain value at `position`. */
  readonly chain: number;
  /** Last commit before `position`. */
  readonly lsn: number;
  /** Offset up to which the segment with this salt is known to have been synced, as a header in shm said (rule F6). */
  readonly synced?: { readonly salt: Uint8Array; readonly offset: number };
}

/** What to do about damage, and about what lies before the start. */
export interface RecoveryOptions {
  /** Keep the commits before damage and drop those behind it, instead of refusing (`--to-last-good`). Default false. */
  readonly toLastGood?: boolean;
  /** With `toLastGood`: what is given up is kept under names that no log uses, instead of removed. Default false. */
  readonly keepDropped?: boolean;
  /**
   * Called once, before anything is given up or set aside that had commits of this log, or of a later history of the same database and
   * timeline, or when the live segment is missing. Nothing has been changed then; what it throws ends the recovery. Nothing that is foreign is told.
   */
  readonly beforeLoss?: () => void;
  /** The database was closed, so that a log without a live segment lacks nothing. Default true. */
  readonly wasClosed?: boolean;
  /** Leave segments before the replay position as they are. Default false: no checkpoint needs them, and they go. */
  readonly keepBefore?: boolean;
}
