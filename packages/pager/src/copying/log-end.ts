/** Where the log of a database ends now: what an archive reads up to. */
import { StateError } from '@sombra/vfs';
import type { LogIdentity } from '@sombra/wal';
import type { Connection } from '../connection/connection.ts';
import { saltBytes } from '../format/salt.ts';
import type { CommitPosition } from './database-copy.ts';

/** How the end of the log is asked for. */
export interface LogEndOptions {
  /** false: only look, and sync nothing. Default true */
  readonly durable?: boolean | undefined;
  /** How long it may block while another connection writes, ms. Default `busyTimeoutMs` */
  readonly waitMs?: number | undefined;
}

/** The end of the log, behind the newest commit. */
export interface LogEnd {
  /** The newest commit. */
  readonly lsn: number;
  /** When it was published, ms since 1970; 0 when none was since the database was opened. */
  readonly time: number;
  /** What segments have to say to be of this log. */
  readonly identity: LogIdentity;
  /** undefined when there is no log yet. */
  readonly position: CommitPosition | undefined;
}

/** @throws as `Pager.logEnd` */
export function logEnd(
  { header, main, health, options, writer, cache }: Connection,
  { durable = true, waitMs }: LogEndOptions = {},
): LogEnd {
  health.checkOpen();
  if (!options.enableWal) {
    throw new StateError(
      'SOMBRA_ARCHIVE_NO_LOG',
      `${options.path} is open with enableWal: false, and has no log that could be archived: open it with a log`,
    );
  }
  const { publishedLsn: lsn, publishedTime: time, ...state } = header.peek();
  const timeline = main.readTimeline();
  const { databaseId } = main.superblock;
  const position =
    state.logSeq === 0
      ? undefined
      : {
          seq: state.logSeq,
          offset: state.logOffset,
          chain: state.logChain,
          salt: saltBytes(state.logSaltLow, state.logSaltHigh),
        };
  if (durable) writer.makeDurable(lsn, position, waitMs);
  return { lsn, time, identity: { pageSize: cache.pageSize, databaseId, timeline }, position };
}
