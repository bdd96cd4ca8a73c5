/** From the log to every connection: appending a record, publishing a new segment and commits in the shared header (rules C2, C4, C6, K6, E1). */
import { TransactionError } from '@sombra/vfs';
import type { LogPosition, LogTail, RecordBuilder, Wal } from '@sombra/wal';
import { commitInDoubt } from '../base/failure.ts';
import type { Health } from '../base/health.ts';
import type { ResolvedOptions } from '../base/options.ts';
import type { Measures } from '../base/stats.ts';
import type { Syncs } from '../base/syncs.ts';
import type { Catalogue } from '../format/catalogue.ts';
import { liveSegment } from '../files/log-writer.ts';
import type { LogWriter } from '../files/log-writer.ts';
import type { Commits } from '../reading/commits.ts';
import type { Views } from '../reading/views.ts';
import type { Header } from '../sharing/header.ts';

/** What publishing is made of. */
export interface PublisherParts {
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly header: Header;
  readonly logWriter: LogWriter;
  readonly commits: Commits;
  readonly views: Views;
  readonly syncs: Syncs;
  readonly stats: Measures;
}

/** See the top of the file. */
export class Publisher {
  private readonly parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.parts = parts;
  }

  /**
   * Appends the record that was built. A failed write leaves the log as it was; a failed sync within rotation poisons. A rotation that
   * ends between its two renames leaves the header unsettled: this tenure's next commit goes on from there, or the next holder of WRITE.
   * Before it seals a segment, everything in it has to be published.
   */
  append(wal: Wal, record: RecordBuilder): LogPosition {
    const { header, syncs, stats } = this.parts;
    const before = wal.tail.seq;
    try {
      const position = syncs.guard(() => wal.append(record));
      stats.logBytes += record.length;
      return position;
    } finally {
      // Also when there was no room for the record: the names have changed.
      if (wal.tail.seq !== before) this.publishSegment(wal);
      else if (wal.isBetweenSegments) header.leaveBetweenSegments();
    }
  }

  /** K6: a new live segment is published before anything that lies in it. When that fails, no other connection knows of either. */
  private publishSegment(wal: Wal): void {
    const { header, health, commits, stats } = this.parts;
    try {
      header.openSegment(liveSegment(wal));
    } catch (error) {
      health.poison(error);
      throw commitInDoubt(commits.tail.lsn + 1, error);
    }
    stats.rotations += 1;
    health.callHook((hooks) => hooks.rotated?.(wal.tail.seq));
  }

  /**
   * Publishes everything up to a commit that was appended (rules C2, C4): only then does any connection see it.
   * @param end  where its record ends
   * @throws TransactionError SOMBRA_COMMIT_UNKNOWN when the header cannot be written, or another connection poisoned the database
   */
  publish(commit: Catalogue, end: LogTail): void {
    const { health, header, logWriter, commits, views } = this.parts;
    const wal = logWriter.current()!;
    if (health.poisoned || header.isPoisonedByOthers()) {
      health.poison(undefined);
      throw new TransactionError(
        'SOMBRA_COMMIT_UNKNOWN',
        `commit ${commit.lsn} was written, and a sync of another connection failed: open the database again to see whether the commit is there`,
        { details: { lsn: commit.lsn } },
      );
    }
    wal.publish(end.offset);
    try {
      header.publishCommit(commit, wal.time, end, wal.synced);
    } catch (error) {
      health.poison(error);
      throw commitInDoubt(commit.lsn, error);
    }
    const before = commits.publish(commit);
    views.committed(commit);
    if (views.snapshots.size === 0 && commits.tail === commit && before !== commit) commits.give(before);
  }
  /** Calls the hook for a commit that was published. @param pages  in its record, of `bytes` bytes */
  report(lsn: number, pages: number, bytes: number): void {
    const { options, health } = this.parts;
    if (options.hooks.commit !== undefined) health.callHook((hooks) => hooks.commit?.(lsn, pages, bytes));
  }
}
