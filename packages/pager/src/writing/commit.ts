/**
 * Commit (rules C1, C2, C6, E1, E2). Steps, and what a crash after each leaves:
 *
 * 1. The catalogue's changes become operations on the roots page.        Nothing on disk has changed.
 * 2. The log gets ready if this is the first commit since a clean open.   An empty log that joins; the clean flag is off.
 * 3. The record is built: per page an image or a delta.                   -
 * 4. The record is appended in one write.                                 A torn record, or a whole one that was never acknowledged:
 *                                                                         recovery drops the first and keeps the second.
 * 5. Mode full: the log is synced, now or with a group of others.         The commit is durable.
 * 6. The commit is published: index, cache, catalogue, view move on. Then the hook is called.
 *
 * A failing write in 2 or 4 rejects the transaction, the log's tail goes back, and the database stays writable. A failing
 * sync poisons it: whether the commit is there is known after the next open.
 */
import type { TransactionError, Vfs } from '@sombra/vfs';
import { ENTRY_DELTA, ENTRY_IMAGE } from '@sombra/wal';
import type { LogPosition, LogTail, Wal } from '@sombra/wal';
import { commitInDoubt } from '../base/failure.ts';
import type { Health } from '../base/health.ts';
import type { ResolvedOptions } from '../base/options.ts';
import type { Measures } from '../base/stats.ts';
import type { Syncs } from '../base/syncs.ts';
import { writeRootsPage } from '../format/roots-page.ts';
import type { LogWriter } from '../files/log-writer.ts';
import { MODE_IMAGE } from '../pages/dirty-pages.ts';
import { ENTRY_IN_MAIN } from '../pages/page-index.ts';
import type { Commits } from '../reading/commits.ts';
import type { Header } from '../sharing/header.ts';
import { buildRecord, countLogged, isLogged } from './commit-record.ts';
import type { RecordParts } from './commit-record.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Publisher } from './publish.ts';
import type { Changes } from './transaction-host.ts';

/** What a commit reads and writes. */
export interface CommitParts extends RecordParts {
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly header: Header;
  readonly syncs: Syncs;
  readonly stats: Measures;
  readonly commits: Commits;
  readonly logWriter: LogWriter;
  readonly vfs: Vfs;
  readonly publisher: Publisher;
  readonly group: GroupCommit;
  /** The transaction was appended, or changed nothing: the next one may begin. */
  ended(): void;
}

/** What an appended transaction needs to be published. */
interface Appended {
  readonly wal: Wal;
  readonly position: LogPosition;
}

/** Does a commit wait for a sync? */
export function syncsCommits({ syncMode, enableWal }: ResolvedOptions): boolean {
  return syncMode === 'full' && enableWal;
}

/**
 * Commits the running transaction.
 * @returns lsn of the commit, or of the one before when nothing changed
 */
export function commitNow(parts: CommitParts, tx: Changes): number {
  const { group, commits, syncs, publisher, options, stats, vfs } = parts;
  const begun = vfs.env.monotonicMs();
  const appended = append(parts, tx);
  if (appended === null) {
    // What this transaction saw may still wait for its sync.
    group.flushNow();
    return commits.tail.lsn;
  }
  const { wal, position } = appended;
  try {
    if (syncsCommits(options)) syncs.sync(wal);
    const { tail } = wal;
    turnOver(parts, tx, position, tail);
    publisher.publish(tx.catalogue, tail);
  } catch (error) {
    throw inDoubt(parts, tx, error);
  }
  group.acknowledge();
  stats.latencies.commit.record(vfs.env.monotonicMs() - begun);
  publisher.report(tx.lsn, parts.entries.count, parts.builder.length);
  return tx.lsn;
}

/**
 * Appends the running transaction; it is published when a sync covers it.
 * @returns fulfilled with the lsn when it is durable and published
 */
export function commitInGroup(parts: CommitParts, tx: Changes): Promise<number> {
  const { group, commits, options, vfs } = parts;
  const begun = vfs.env.monotonicMs();
  if (!syncsCommits(options) || group.isFull) return Promise.resolve(commitNow(parts, tx));
  const appended = append(parts, tx);
  if (appended === null) return group.last(commits.tail.lsn);
  const { tail } = appended.wal;
  try {
    turnOver(parts, tx, appended.position, tail);
  } catch (error) {
    throw inDoubt(parts, tx, error);
  }
  const { length: bytes } = parts.builder;
  return group.add({ catalogue: tx.catalogue, pages: parts.entries.count, bytes, end: tail, begun });
}

/** Steps 1 to 4. null when nothing changed. */
function append(parts: CommitParts, tx: Changes): Appended | null {
  const { health, dirty, commits, logWriter, builder, group, publisher } = parts;
  health.checkWritable();
  const { tail } = commits;
  if (tx.catalogue.differsFrom(tail)) writeRootsPage(tx, tx.editRoots(), tail, tx.catalogue);
  const logged = countLogged(dirty);
  if (logged === 0 && tx.catalogue.pageCount === tail.pageCount) {
    dirty.rewind(0, 0);
    parts.ended();
    commits.give(tx.catalogue);
    return null;
  }
  const wal = logWriter.ensureReady(commits.published.lsn);
  buildRecord(parts, tx, commitTime(parts), logged, tail.lsn);
  if (wal.isFull(builder.length)) group.flushNow();
  return { wal, position: publisher.append(wal, builder) };
}

/** Time for the next commit, ms: never earlier than the one before, whatever the clock does. */
function commitTime({ header, vfs }: CommitParts): number {
  return Math.max(header.state.publishedTime, vfs.env.wallTimeMs());
}

/** The transaction's copies become the newest versions of their pages, its record is indexed, and the next one builds on it. */
function turnOver(parts: CommitParts, tx: Changes, { seq, offset }: LogPosition, end: LogTail): void {
  const { dirty, cache, index, entries, stats, commits } = parts;
  for (let d = 0; d < dirty.count; d += 1) {
    const frame = dirty.frame[d]!;
    if (!isLogged(dirty, d)) {
      cache.dropDirty(frame);
      continue;
    }
    const kind = dirty.mode[d] === MODE_IMAGE ? ENTRY_IMAGE : ENTRY_DELTA;
    index.add(dirty.page[d]!, tx.lsn, seq, offset + entries.offset[d]!, entries.length[d]!, kind, entries.checksum[d]!);
    cache.commitDirty(frame);
  }
  for (let i = 0, at = dirty.count; i < tx.placed.length; i += 1, at += 1) {
    if (entries.length[at] === 0) continue;
    const [start, length, checksum] = [offset + entries.offset[at]!, entries.length[at]!, entries.checksum[at]!];
    index.add(tx.placed[i]!, tx.lsn, seq, start, length, ENTRY_IN_MAIN, checksum);
  }
  index.addCommit(tx.lsn, end.seq, end.offset, end.chain, tx.catalogue.pageCount);
  stats.pagesLogged += entries.count;
  dirty.count = 0;
  commits.appended(tx.catalogue);
  parts.ended();
  stats.commits += 1;
}

/** The record stands in the log, and cannot be taken back: only the next open shows whether the commit is there (rule E1). */
function inDoubt({ health, group }: CommitParts, tx: Changes, cause: unknown): TransactionError {
  health.poison(cause);
  group.fail(cause);
  return commitInDoubt(tx.lsn, cause);
}
